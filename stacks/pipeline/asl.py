"""Amazon States Language in JSONata, typed: what a state machine is made of before it is JSON.

The language: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from stacks.pipeline.permission import Permission

# The condition of a rule that holds whenever those before it do not.
ALWAYS: Final = "true"


class DefinitionError(ValueError):
    """A state machine definition that Step Functions would refuse or could never leave."""


def jsonata(expression: str) -> str:
    """The expression as a JSONata field.

    Example:
        >>> jsonata("$job_name & '-model'")
        "{% $job_name & '-model' %}"
    """
    return f"{{% {expression} %}}"


def in_milliseconds(date: str) -> str:
    """A date that a service has answered, as JSONata: Step Functions writes dates in words, some engines as seconds."""
    return f"($type({date}) = 'number' ? {date} * 1000 : $toMillis({date}))"


def read_jsonata(field: object) -> str | None:
    """The expression in a field, if it is a JSONata field."""
    if isinstance(field, str) and field.startswith("{%") and field.endswith("%}"):
        return field[2:-2]
    return None


class Way(NamedTuple):
    """A state that another one can lead to, and the variables that are assigned on the way.

    A return leads to where the execution has been before, so that what must be written there is.
    """

    next: str
    assign: Mapping[str, Any] = {}
    is_return: bool = False


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Try the task again on these errors, waiting longer each time, up to a longest wait if there is one."""

    errors: tuple[str, ...]
    interval_seconds: int
    max_attempts: int
    backoff_rate: float = 2
    longest_seconds: int | None = None

    def render(self) -> dict[str, Any]:
        """The retrier's JSON."""
        return {
            "ErrorEquals": list(self.errors),
            "IntervalSeconds": self.interval_seconds,
            "MaxAttempts": self.max_attempts,
            "BackoffRate": self.backoff_rate,
            **_given(MaxDelaySeconds=self.longest_seconds),
            "JitterStrategy": "FULL",
        }


# How long a service may take to answer.
CALL_SECONDS: Final = 120


def retry_busy(service: str) -> Retry:
    """Try again what the integration of a service's SDK has no better name for, such as throttling."""
    errors = (f"{service}.{service}Exception", f"{service}.ThrottlingException", f"{service}.SdkClientException")
    return Retry(errors=errors, interval_seconds=5, max_attempts=4)


@dataclass(frozen=True, kw_only=True)
class Catch:
    """Go elsewhere when the task has failed for good."""

    errors: tuple[str, ...]
    next: str
    assign: Mapping[str, Any] = field(default_factory=dict)

    def render(self) -> dict[str, Any]:
        """The catcher's JSON."""
        return {"ErrorEquals": list(self.errors), **_given(Assign=dict(self.assign)), "Next": self.next}


class State(Protocol):
    """One state: its JSON and where it can lead."""

    def render(self) -> dict[str, Any]:
        """The state's JSON."""

    def ways(self) -> Iterator[Way]:
        """Where it can lead."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Calls a service, as the permissions let it, and goes on with its answer, which must come in so many seconds.

    What it must be allowed on executions of its own state machine has no permission, because only that knows its ARN.
    """

    resource: str
    arguments: Mapping[str, Any]
    next: str
    timeout_seconds: int
    output: str = ""
    assign: Mapping[str, Any] = field(default_factory=dict)
    retry: tuple[Retry, ...] = ()
    catch: tuple[Catch, ...] = ()
    permissions: tuple[Permission, ...] = ()
    own_executions: tuple[str, ...] = ()

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        return {
            "Type": "Task",
            "Resource": self.resource,
            "Arguments": dict(self.arguments),
            "TimeoutSeconds": self.timeout_seconds,
            **_given(
                Output=self.output,
                Assign=dict(self.assign),
                Retry=[retry.render() for retry in self.retry],
                Catch=[catch.render() for catch in self.catch],
            ),
            "Next": self.next,
        }

    def ways(self) -> Iterator[Way]:
        """The next state and every catcher's."""
        yield Way(self.next, self.assign)
        yield from (Way(catch.next, catch.assign) for catch in self.catch)


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Assigns variables."""

    assign: Mapping[str, Any]
    next: str

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        return {"Type": "Pass", "Assign": dict(self.assign), "Next": self.next}

    def ways(self) -> Iterator[Way]:
        """The next state."""
        yield Way(self.next, self.assign)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A branch of a choice, taken when the condition (JSONata) is true; as for a return, see `Way`."""

    condition: str
    next: str
    assign: Mapping[str, Any] = field(default_factory=dict)
    is_return: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Takes the first rule that holds, else the default."""

    rules: tuple[Rule, ...]
    default: str

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        choices = [
            {"Condition": jsonata(rule.condition), **_given(Assign=dict(rule.assign)), "Next": rule.next}
            for rule in self.rules
        ]
        return {"Type": "Choice", "Choices": choices, "Default": self.default}

    def ways(self) -> Iterator[Way]:
        """Every rule's state, and the default unless a rule always holds."""
        yield from (Way(rule.next, rule.assign, rule.is_return) for rule in self.rules)
        if all(rule.condition != ALWAYS for rule in self.rules):
            yield Way(self.default)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Lets time pass: so many seconds, or as many as JSONata says."""

    seconds: int | str
    next: str

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        return {"Type": "Wait", "Seconds": self.seconds, "Next": self.next}

    def ways(self) -> Iterator[Way]:
        """The next state."""
        yield Way(self.next)


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Ends the execution successfully with this output.

    A Pass with `End`, because a Succeed state of the local engine has no JSONata output.
    """

    output: Mapping[str, Any]

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        return {"Type": "Pass", "Output": dict(self.output), "End": True}

    def ways(self) -> Iterator[Way]:
        """None."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Fail:
    """Ends the execution as failed."""

    error: str
    cause: str

    def render(self) -> dict[str, Any]:
        """The state's JSON."""
        return {"Type": "Fail", "Error": self.error, "Cause": self.cause}

    def ways(self) -> Iterator[Way]:
        """None."""
        yield from ()


def render_definition(
    states: Mapping[str, State], *, start_at: str, comment: str, timeout_seconds: int
) -> dict[str, Any]:
    """The whole definition as JSON.

    Raises:
        DefinitionError: If a state names to one that does not exist, or none leads to it.
    """
    check_states(states, start_at)
    return {
        "Comment": comment,
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": timeout_seconds,
        "StartAt": start_at,
        "States": {name: state.render() for name, state in states.items()},
    }


def check_states(states: Mapping[str, State], start_at: str) -> None:
    """Refuse states that Step Functions would refuse, or that nothing leads to.

    Raises:
        DefinitionError: If a state names one that does not exist, or none leads to it.
    """
    _check_names(states, start_at)
    _check_reachable(states, start_at)


def _check_names(states: Mapping[str, State], start_at: str) -> None:
    """Step Functions looks at every name, also at that of a default which no execution takes."""
    named = [start_at]
    for state in states.values():
        named.extend(way.next for way in state.ways())
        if isinstance(state, Choice):
            named.append(state.default)
    for name in named:
        if name not in states:
            raise DefinitionError(f"no state is named '{name}'")


def _check_reachable(states: Mapping[str, State], start_at: str) -> None:
    reached: set[str] = set()
    waiting = [start_at]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(way.next for way in states[name].ways())
    if unreachable := sorted(set(states) - reached):
        raise DefinitionError(f"nothing leads to {', '.join(unreachable)}")


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
