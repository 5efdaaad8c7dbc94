"""Faults on purpose: what a local cloud is told to do wrong, how often, and to whom."""

import contextvars
import difflib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from headrace.errors import HeadraceError
from headrace.local.fault_codes import UnknownServiceError, list_codes, list_operations, list_services

PATH: Final = "/_ministack/headrace/faults"
# The names that people, policies and state machines have for a service whose model is called otherwise.
_MODELS: Final[Mapping[str, str]] = {
    "applicationautoscaling": "application-autoscaling",
    "eventbridge": "events",
    "monitoring": "cloudwatch",
    "sagemaker-runtime": "sagemaker",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
_MOST_TIMES: Final = 10_000


class FaultError(HeadraceError):
    """A fault that cannot be injected as it was asked for."""


class Caller(NamedTuple):
    """The task of a state machine that makes a call; nothing for any other caller.

    Args:
        execution: The name of its execution.
        state: The name of its state.
    """

    execution: str = ""
    state: str = ""


# For which task this thread works.
_NO_TASK: Final = Caller()
caller: Final = contextvars.ContextVar("caller", default=_NO_TASK)


class Effect(StrEnum):
    """What goes wrong."""

    REFUSED = "the call is refused"
    LOST = "the call takes effect, and is answered with an error"
    NO_CAPACITY = "there is no capacity"
    FAILS = "the program ends with exit code 1"
    CRASHES = "the program is killed"
    OUT_OF_TIME = "the time limit is reached at once"
    INTERRUPTED = "its spot instances are taken away"
    UNHEALTHY = "the container never answers its pings"
    BREAKS = "the container answers its first pings and none later"


_OF_CALLS: Final = frozenset({Effect.REFUSED, Effect.LOST})
_ENDPOINTS: Final = ("CreateEndpoint", "UpdateEndpoint")
_PROGRAMS: Final = ("CreateTrainingJob", "CreateProcessingJob")
_JOBS: Final = (*_PROGRAMS, "CreateTransformJob")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A fault with a name.

    Args:
        effect: What goes wrong.
        code: The error that the caller gets.
        message: Its message.
        status: Its HTTP status.
        operations: The operations of SageMaker that it is for; any operation of any service if there are none.
    """

    effect: Effect
    code: str = ""
    message: str = ""
    status: int = 400
    operations: tuple[str, ...] = ()


PRESETS: Final[Mapping[str, Preset]] = {
    "throttle": Preset(effect=Effect.REFUSED, code="ThrottlingException", message="Rate exceeded"),
    "denied": Preset(
        effect=Effect.REFUSED, code="AccessDeniedException", message="not authorized to perform this action", status=403
    ),
    "validation": Preset(effect=Effect.REFUSED, code="ValidationException", message="1 validation error detected"),
    "limit": Preset(
        effect=Effect.REFUSED,
        code="ResourceLimitExceeded",
        message="The account-level service limit is 1 Instances, with current utilization of 1 Instances.",
    ),
    "internal": Preset(
        effect=Effect.REFUSED, code="InternalFailure", message="The request processing has failed.", status=500
    ),
    "lost": Preset(
        effect=Effect.LOST, code="InternalFailure", message="The request processing has failed.", status=500
    ),
    # What Step Functions says of calls that get no answer.
    "unreached": Preset(
        effect=Effect.REFUSED, code="SdkClientException", message="Unable to execute HTTP request", status=503
    ),
    "timeout": Preset(
        effect=Effect.REFUSED, code="States.Timeout", message="the task ran longer than its time limit", status=504
    ),
    "capacity": Preset(effect=Effect.NO_CAPACITY, operations=(*_JOBS, *_ENDPOINTS)),
    "job-fails": Preset(effect=Effect.FAILS, operations=_JOBS),
    "container-crashes": Preset(effect=Effect.CRASHES, operations=_PROGRAMS),
    "job-hangs": Preset(effect=Effect.OUT_OF_TIME, operations=_PROGRAMS),
    "spot-interruption": Preset(effect=Effect.INTERRUPTED, operations=("CreateTrainingJob",)),
    "unhealthy": Preset(effect=Effect.UNHEALTHY, operations=_ENDPOINTS),
    "unhealthy-later": Preset(effect=Effect.BREAKS, operations=("UpdateEndpoint",)),
}
# What services call the common errors that have another name for them.
_CODES: Final[Mapping[str, Mapping[str, tuple[str, int]]]] = {
    "s3": {
        "ThrottlingException": ("SlowDown", 503),
        "AccessDeniedException": ("AccessDenied", 403),
        "ValidationException": ("InvalidRequest", 400),
        "InternalFailure": ("InternalError", 500),
    },
    "lambda": {
        "ThrottlingException": ("TooManyRequestsException", 429),
        "ValidationException": ("InvalidParameterValueException", 400),
        "InternalFailure": ("ServiceException", 500),
    },
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault that waits for its calls.

    Args:
        preset: What goes wrong, a key of `PRESETS`.
        operation: The operation that it waits for: `sagemaker:CreateTrainingJob`.
        resource: A pattern (`*`, `?`) for a name or another text of the request, or for the name of the execution that
            makes it; any request by default.
        state: A pattern for the state whose task makes the call; any caller by default.
        times: How many calls it is for.
        skip: How many calls are spared before.
        code: The error's code, instead of the preset's.
        message: Its message, instead of the preset's.
        seen: How many calls it has seen.
    """

    preset: str
    operation: str
    resource: str = "*"
    state: str = "*"
    times: int = 1
    skip: int = 0
    code: str = ""
    message: str = ""
    seen: int = 0

    @property
    def effect(self) -> Effect:
        """What goes wrong."""
        return PRESETS[self.preset].effect

    @property
    def is_spent(self) -> bool:
        """Whether no further call is met by it."""
        return self.seen >= self.skip + self.times

    @property
    def left(self) -> int:
        """How many calls it will still meet."""
        return self.times - max(0, self.seen - self.skip)

    def describe_error(self) -> tuple[str, str, int]:
        """The code, the message and the HTTP status that the caller gets, as the service has them."""
        preset = PRESETS[self.preset]
        service = self.operation.partition(":")[0]
        code, status = _CODES.get(service, {}).get(preset.code, (preset.code, preset.status))
        return self.code or code, self.message or f"{preset.message} (a fault that was injected)", status

    def meets(self, operation: str, texts: Collection[str]) -> bool:
        """Whether a call is one of those that it is for."""
        calling = caller.get()
        if self.operation != operation or not fnmatchcase(calling.state, self.state):
            return False
        return self.resource == "*" or any(fnmatchcase(text, self.resource) for text in (*texts, calling.execution))


class Faults:
    """The faults of a local cloud; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._watchers: list[Callable[[], None]] = []

    def add(self, fault: Fault) -> None:
        """Have calls that begin from now on meet a fault, and what runs if the fault is for that."""
        with self._lock:
            self._faults.append(fault)
            watchers = [*self._watchers]
        for look in watchers:
            look()

    @contextmanager
    def watch(self, look: Callable[[], None]) -> Iterator[None]:
        """Have something look for faults that it meets while it runs: now, and whenever one is added."""
        with self._lock:
            self._watchers.append(look)
        try:
            look()
            yield
        finally:
            with self._lock:
                self._watchers.remove(look)

    def list(self) -> list[Fault]:
        """Those that were added, spent ones included."""
        with self._lock:
            return [*self._faults]

    def clear(self) -> int:
        """Forget all; how many would still have met a call."""
        with self._lock:
            waiting = sum(not fault.is_spent for fault in self._faults)
            self._faults.clear()
            return waiting

    @property
    def are_waiting(self) -> bool:
        """Whether a call may meet one."""
        return any(not fault.is_spent for fault in self._faults)

    def take(
        self, service: str, operation: str, request: Mapping[str, Any] | Iterable[str], effects: Collection[Effect]
    ) -> Fault | None:
        """The fault that a call meets, which counts it; the first that was added, of those with one of these effects.

        Args:
            service: The service's name, in any spelling.
            operation: The operation.
            request: What the call asks, or the texts in it.
            effects: Those that the caller can bring about.
        """
        if not self.are_waiting:
            return None
        name = f"{name_model(service)}:{operation}"
        texts = [*list_texts(request)]
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.is_spent or fault.effect not in effects or not fault.meets(name, texts):
                    continue
                self._faults[place] = replace(fault, seen=fault.seen + 1)
                if fault.seen >= fault.skip:
                    return fault
        return None

    def take_call(self, service: str, operation: str, request: Mapping[str, Any] | Iterable[str]) -> Fault | None:
        """The fault that a call itself meets, whatever it makes."""
        return self.take(service, operation, request, _OF_CALLS)


def list_texts(request: Any) -> Iterator[str]:
    """All texts in a request, the deep ones included."""
    if isinstance(request, str):
        yield request
    elif isinstance(request, Mapping):
        for value in request.values():
            yield from list_texts(value)
    elif isinstance(request, Iterable) and not isinstance(request, bytes):
        for value in request:
            yield from list_texts(value)


def name_model(service: str) -> str:
    """The name of a service's model, by any of the names that the service has.

    Example:
        >>> name_model("states")
        'stepfunctions'
    """
    return _MODELS.get(service.lower(), service.lower())


def describe_fault(fault: Fault) -> dict[str, Any]:
    """A fault for programs."""
    return {**asdict(fault), "effect": str(fault.effect), "left": fault.left}


def read_fault(given: Mapping[str, Any]) -> Fault:
    """A fault as somebody has asked for it, checked.

    Raises:
        FaultError: Naming what is wrong, and what is there.
    """
    preset = str(given.get("preset", ""))
    if preset not in PRESETS:
        raise FaultError(f"there is no fault '{preset}'{_guess(preset, PRESETS)}; there are: {', '.join(PRESETS)}")
    times, skip = (_read_count(given, name, least) for name, least in (("times", 1), ("skip", 0)))
    fault = Fault(
        preset=preset,
        operation=_read_operation(str(given.get("operation", ""))),
        resource=str(given.get("resource") or "*"),
        state=str(given.get("state") or "*"),
        times=times,
        skip=skip,
        code=str(given.get("code") or ""),
        message=str(given.get("message") or ""),
    )
    if (fault.code or fault.message) and fault.effect not in _OF_CALLS:
        raise FaultError(f"the fault '{preset}' has no error of the call; leave out the code and the message")
    _check_operation(fault)
    _check_code(fault)
    return fault


def _read_count(given: Mapping[str, Any], name: str, least: int) -> int:
    value = given.get(name, least)
    if not isinstance(value, int) or not least <= value <= _MOST_TIMES:
        raise FaultError(f"{name} must be a whole number from {least} to {_MOST_TIMES}, not {value!r}")
    return value


def _read_operation(given: str) -> str:
    service, colon, name = given.partition(":")
    if not colon or not name:
        raise FaultError(f"'{given}' names no operation; write SERVICE:OPERATION, as in sagemaker:CreateTrainingJob")
    model = name_model(service)
    known = _list_operations(model)
    if name not in known:
        raise FaultError(f"{service} has no operation '{name}'{_guess(name, known)}")
    return f"{model}:{name}"


def _check_operation(fault: Fault) -> None:
    service, _, name = fault.operation.partition(":")
    operations = PRESETS[fault.preset].operations
    if operations and (service != "sagemaker" or name not in operations):
        named = ", ".join(f"sagemaker:{operation}" for operation in operations)
        raise FaultError(f"the fault '{fault.preset}' is for {named}, not for {fault.operation}")


def _check_code(fault: Fault) -> None:
    codes = list_codes(*fault.operation.split(":"))
    if fault.code and codes and fault.code not in codes:
        raise FaultError(
            f"{fault.operation} answers with no error '{fault.code}'{_guess(fault.code, codes)}; "
            f"there are: {', '.join(sorted(codes))}"
        )


def _list_operations(service: str) -> frozenset[str]:
    try:
        return list_operations(service)
    except UnknownServiceError:
        raise FaultError(f"there is no service '{service}'{_guess(service, list_services())}") from None


def _guess(name: str, known: Iterable[str]) -> str:
    spelt = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), spelt, n=1)
    return f" (did you mean '{spelt[close[0]]}'?)" if close else ""
