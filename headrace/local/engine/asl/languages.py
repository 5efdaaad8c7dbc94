"""The two query languages: how a state reads its input and fields in each of them, and what it passes on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from headrace.local.engine.asl import jsonata_expressions
from headrace.local.engine.asl.failures import StateFailedError, fail_at_runtime, fail_evaluation
from headrace.local.engine.asl.intrinsics import evaluate_call, is_call
from headrace.local.engine.asl.jsonpath import find_at_runtime, put
from headrace.local.engine.asl.scope import Scope

JSONATA: Final = "JSONata"
JSONPATH: Final = "JSONPath"

State = Mapping[str, Any]
# What a state passes on, and the variables that it assigns.
Passed = tuple[Any, dict[str, Any]]


class Language(Protocol):
    """How a state reads and writes; every method raises a StateFailedError where an expression fails."""

    def select_input(self, state: State, scope: Scope) -> Any:
        """What of its input a state works on."""

    def read_arguments(self, state: State, scope: Scope) -> Any:
        """What a state gives to its task or branches."""

    def read_field(self, state: State, field: str, scope: Scope) -> Any:
        """The value of a field that may be an expression or, with `Path` behind its name, a path; None if absent."""

    def render(self, template: Any, scope: Scope) -> Any:
        """A template's value."""

    def finish(self, state: State, scope: Scope, result: Any) -> Passed:
        """What a state passes on that has a result."""

    def pass_on(self, state: State, rule: State, scope: Scope) -> Passed:
        """What a state passes on that has none, by itself or by the rule that it follows."""

    def catch(self, catcher: State, scope: Scope, error_output: Mapping[str, str]) -> Passed:
        """What a catcher passes on."""

    def refuse(self, cause: str) -> StateFailedError:
        """The failure of a field whose value is not allowed."""


class JSONataLanguage:
    """JSONata: expressions between `{%` and `%}`."""

    def select_input(self, _state: State, scope: Scope) -> Any:
        """All of it."""
        return scope.input

    def read_arguments(self, state: State, scope: Scope) -> Any:
        """Arguments, or else the input."""
        return self.render(state["Arguments"], scope) if "Arguments" in state else scope.input

    def read_field(self, state: State, field: str, scope: Scope) -> Any:
        """A field's value."""
        return self.render(state[field], scope) if field in state else None

    def render(self, template: Any, scope: Scope) -> Any:
        """A template's value."""
        return jsonata_expressions.render(template, scope)

    def finish(self, state: State, scope: Scope, result: Any) -> Passed:
        """Output, or else the result."""
        return self._leave(state, replace(scope, result=result), result)

    def pass_on(self, _state: State, rule: State, scope: Scope) -> Passed:
        """Output, or else the input."""
        return self._leave(rule, scope, scope.input)

    def catch(self, catcher: State, scope: Scope, error_output: Mapping[str, str]) -> Passed:
        """Output, or else the Error Output."""
        return self._leave(catcher, replace(scope, error_output=error_output), error_output)

    def refuse(self, cause: str) -> StateFailedError:
        """States.QueryEvaluationError."""
        return fail_evaluation(cause)

    def _leave(self, owner: State, scope: Scope, default: Any) -> Passed:
        output = self.render(owner["Output"], scope) if "Output" in owner else default
        return output, self.render(owner.get("Assign", {}), scope)


class JSONPathLanguage:
    """JSONPath: paths, and payload templates whose names end in `.$`."""

    def select_input(self, state: State, scope: Scope) -> Any:
        """What InputPath leads to."""
        return _follow(state, "InputPath", scope)

    def read_arguments(self, state: State, scope: Scope) -> Any:
        """Parameters, or else what InputPath leads to."""
        selected = self.select_input(state, scope)
        return self.render(state["Parameters"], replace(scope, input=selected)) if "Parameters" in state else selected

    def read_field(self, state: State, field: str, scope: Scope) -> Any:
        """A field's value, or what the path in its second form leads to."""
        if f"{field}Path" in state:
            selected = replace(scope, input=self.select_input(state, scope))
            return _resolve(state[f"{field}Path"], f"{field}Path", selected)
        return state.get(field)

    def render(self, template: Any, scope: Scope) -> Any:
        """A template's value; only names that end in `.$` are worked out."""
        if isinstance(template, list):
            return [self.render(value, scope) for value in template]
        if not isinstance(template, dict):
            return template
        return {
            name.removesuffix(".$"): _resolve(value, name, scope) if name.endswith(".$") else self.render(value, scope)
            for name, value in template.items()
        }

    def finish(self, state: State, scope: Scope, result: Any) -> Passed:
        """ResultSelector, ResultPath and OutputPath, one after the other."""
        of_result = replace(scope, input=result)
        chosen = self.render(state["ResultSelector"], of_result) if "ResultSelector" in state else result
        output = _follow(state, "OutputPath", replace(scope, input=_combine(state, scope.input, chosen)))
        return output, self.render(state.get("Assign", {}), of_result)

    def pass_on(self, state: State, rule: State, scope: Scope) -> Passed:
        """InputPath and OutputPath, one after the other."""
        selected = replace(scope, input=self.select_input(state, scope))
        return _follow(state, "OutputPath", selected), self.render(rule.get("Assign", {}), selected)

    def catch(self, catcher: State, scope: Scope, error_output: Mapping[str, str]) -> Passed:
        """ResultPath."""
        assigned = self.render(catcher.get("Assign", {}), replace(scope, input=error_output))
        return _combine(catcher, scope.input, error_output), assigned

    def refuse(self, cause: str) -> StateFailedError:
        """States.Runtime."""
        return fail_at_runtime(cause)


def _resolve(text: str, field: str, scope: Scope) -> Any:
    return evaluate_call(text, scope) if is_call(text) else find_at_runtime(text, field, scope)


def _follow(state: State, field: str, scope: Scope) -> Any:
    path = state.get(field, "$")
    return {} if path is None else find_at_runtime(path, field, scope)


def _combine(owner: State, document: Any, result: Any) -> Any:
    path = owner.get("ResultPath", "$")
    return document if path is None else put(document, path, result)


LANGUAGES: Final[Mapping[str, Language]] = {JSONATA: JSONataLanguage(), JSONPATH: JSONPathLanguage()}
