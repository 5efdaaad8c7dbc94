"""One visit of an execution to a state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.documents import is_integer, is_number, write_bounded, write_json
from headrace.local.engine.asl.flows import Flow
from headrace.local.engine.asl.languages import Language
from headrace.local.engine.asl.scope import Scope
from headrace.local.engine.asl.surroundings import Clock, Tasks


class Runner(Protocol):
    """What states run in."""

    tasks: Tasks
    clock: Clock
    callbacks: Callbacks

    async def run_flow(self, flow: Flow) -> Any:
        """Run a branch or an iteration to its end."""


class Leaving(NamedTuple):
    """How a state is left: what it passes on, what it assigns, and where to."""

    output: Any
    assigned: Mapping[str, Any]
    next: str | None


@dataclass(kw_only=True)
class Visit:
    """One visit of an execution to a state.

    Attributes:
        name: The state's name.
        state: Its definition.
        flow: What has come to it.
        language: Its query language.
        runner: What it runs in.
        shared_context: What the context object says of the execution.
        entered: When it was entered.
        attempt: How often it has been tried again.
        token: What its task's answer is sent with.
    """

    name: str
    state: Mapping[str, Any]
    flow: Flow
    language: Language
    runner: Runner
    shared_context: Mapping[str, Any]
    entered: str
    attempt: int = 0
    token: str | None = None

    @property
    def scope(self) -> Scope:
        """What its expressions can read."""
        return Scope(input=self.flow.input, context=self._write_context(), variables=self.flow.readable)

    def read_number(self, field: str, least: float, most: float, *, is_whole: bool = True) -> float | None:
        """A field's number.

        Raises:
            StateFailedError: If it is none, or out of its bounds.
        """
        value = self.language.read_field(self.state, field, self.scope)
        if field not in self.state and f"{field}Path" not in self.state:
            return None
        if not (is_integer(value) if is_whole else is_number(value)) or not least <= value <= most:
            raise self.language.refuse(
                f"The value of the field '{field}' must be a number from {least} to {most}, but was {write_json(value)}"
            )
        return float(value)

    def finish(self, result: Any) -> Leaving:
        """Leave with a result.

        Raises:
            StateFailedError: If an expression fails, or there is too much to pass on.
        """
        write_bounded(result, "result", self.name)
        return self._leave(*self.language.finish(self.state, self.scope, result), self.state.get("Next"))

    def pass_on(self, rule: Mapping[str, Any], target: str | None) -> Leaving:
        """Leave without one, by the state itself or by a rule of it.

        Raises:
            StateFailedError: If an expression fails, or there is too much to pass on.
        """
        return self._leave(*self.language.pass_on(self.state, rule, self.scope), target)

    def catch(self, catcher: Mapping[str, Any], error_output: Mapping[str, str]) -> Leaving:
        """Leave by a catcher.

        Raises:
            StateFailedError: If an expression fails, or there is too much to pass on.
        """
        return self._leave(*self.language.catch(catcher, self.scope, error_output), catcher["Next"])

    def _leave(self, output: Any, assigned: Mapping[str, Any], target: str | None) -> Leaving:
        write_bounded(output, "output", self.name)
        write_bounded(assigned, "variables", self.name)
        return Leaving(output, assigned, target)

    def _write_context(self) -> dict[str, Any]:
        state = {"Name": self.name, "EnteredTime": self.entered, "RetryCount": self.attempt}
        task = {"Task": {"Token": self.token}} if self.token else {}
        return {**self.shared_context, **self.flow.context, "State": state, **task}
