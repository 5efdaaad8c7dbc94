"""States that call nothing: Pass, Succeed, Fail, Choice and Wait."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from headrace.local.engine.asl.comparisons import holds
from headrace.local.engine.asl.documents import parse_timestamp, write_json
from headrace.local.engine.asl.failures import StateFailedError, fail_at_runtime
from headrace.local.engine.asl.languages import JSONATA, LANGUAGES
from headrace.local.engine.asl.scope import Scope
from headrace.local.engine.asl.visits import Leaving, Visit

MOST_SECONDS: Final = 99_999_999


async def run_pass(visit: Visit) -> Leaving:
    """Pass its input on, worked over."""
    if visit.language is LANGUAGES[JSONATA]:
        return visit.pass_on(visit.state, visit.state.get("Next"))
    given = visit.language.read_arguments(visit.state, visit.scope)
    return visit.finish(visit.state.get("Result", given))


async def run_succeed(visit: Visit) -> Leaving:
    """End its state machine."""
    return visit.pass_on(visit.state, None)


async def run_fail(visit: Visit) -> Leaving:
    """Fail with its error and cause.

    Raises:
        StateFailedError: Always.
    """
    error, cause = (_read_text(visit, field) for field in ("Error", "Cause"))
    raise StateFailedError(error, cause)


async def run_choice(visit: Visit) -> Leaving:
    """Go where the first rule leads that holds, or else to the default.

    Raises:
        StateFailedError: If none does.
    """
    scope = visit.scope
    selected = replace(scope, input=visit.language.select_input(visit.state, scope))
    for rule in visit.state["Choices"]:
        if _is_met(visit, rule, selected):
            return visit.pass_on(rule, rule["Next"])
    if "Default" not in visit.state:
        raise fail_at_runtime("Failed to transition out of the state: no rule holds (States.NoChoiceMatched)")
    return visit.pass_on(visit.state, visit.state["Default"])


async def run_wait(visit: Visit) -> Leaving:
    """Wait for some seconds, or until an instant."""
    await visit.runner.clock.sleep(_find_seconds(visit))
    return visit.pass_on(visit.state, visit.state.get("Next"))


def _is_met(visit: Visit, rule: Mapping[str, Any], scope: Scope) -> bool:
    if visit.language is not LANGUAGES[JSONATA]:
        return holds(rule, scope)
    value = visit.language.render(rule["Condition"], scope)
    if not isinstance(value, bool):
        raise visit.language.refuse(f"A Condition must be a boolean, but was {write_json(value)}")
    return value


def _find_seconds(visit: Visit) -> float:
    seconds = visit.read_number("Seconds", 0, MOST_SECONDS)
    if seconds is not None:
        return seconds
    text = visit.language.read_field(visit.state, "Timestamp", visit.scope)
    until = parse_timestamp(text)
    if until is None:
        raise visit.language.refuse(f"The field 'Timestamp' must be a timestamp, but was {write_json(text)}")
    return max(0.0, (until - visit.runner.clock.now()).total_seconds())


def _read_text(visit: Visit, field: str) -> str | None:
    text = visit.language.read_field(visit.state, field, visit.scope)
    if text is not None and not isinstance(text, str):
        raise visit.language.refuse(f"The field '{field}' must be a string, but was {write_json(text)}")
    return text
