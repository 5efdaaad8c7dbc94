"""The input by which an execution stops the endpoint of the settings or starts it again, and how it then ends."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from headrace import contract
from headrace.contract import EndpointAction, Outcome
from stacks.pipeline.asl import Finish, Rule, jsonata
from stacks.pipeline.execution_input import refuse
from stacks.pipeline.failure import Reason
from stacks.pipeline.registry import ModelRegistry

_SPANS: Final = (contract.WITHIN_SECONDS_INPUT, contract.UNCHANGED_SECONDS_INPUT)
KEYS: Final = (contract.ENDPOINT_ACTION_INPUT, *_SPANS)
ACTION: Final = f"$request.{contract.ENDPOINT_ACTION_INPUT}"
IS_ACTION: Final = f"$exists({ACTION})"
WITHIN: Final = f"$request.{contract.WITHIN_SECONDS_INPUT}"
UNCHANGED: Final = f"$request.{contract.UNCHANGED_SECONDS_INPUT}"
# Whether the version that serves, or served last, could be read.
HAS_VERSION: Final = "$parent != '' and $serving_package = $parent"
COMMENT: Final = "$exists($request.Comment) ? $string($request.Comment) : ''"


def refuse_wrong_actions(others: Sequence[str]) -> Iterator[Rule]:
    """Rules that refuse an action that there is not, and one beside keys of executions that train or deploy."""
    action = contract.ENDPOINT_ACTION_INPUT
    also = f"$keys($request)[$ in [{_list(others)}]]"
    yield refuse(
        f"$exists({ACTION}) and $not({ACTION} in [{_list(EndpointAction)}])",
        f"'{action}: found ' & $string({ACTION}) & '; allowed: {' or '.join(EndpointAction)}'",
    )
    yield refuse(
        f"$exists({ACTION}) and $exists({also})",
        f"$join({also}, ', ') & ': an execution with {action} is about the endpoint of the settings; leave it out'",
    )
    for key in _SPANS:
        span = f"$request.{key}"
        yield refuse(
            f"$exists({span}) and ($exists({ACTION}) and $type({span}) = 'number' ? {span} <= 0 : true)",
            f"'{key}: found ' & $string({span}) & '; allowed: a number above 0, with {action}'",
        )


def find_foreign_version(registry: ModelRegistry, *, status: str) -> Reason:
    """That what serves at an endpoint with this status, in JSONata, is made of a model package of another group."""
    return Reason(
        f"$endpoint.Status = ({status}) and $not($serving_package in ['', 'none'] or "
        f"{registry.is_version('$serving_package')})",
        "VersionOfOthers",
        "'what endpoint ' & $endpoint_name & ' serves, or served last, is made of ' & $serving_package & ', which is "
        f"no version in the model package group {registry.group}, so nothing says whether it was approved: have "
        "another one served with headrace pipeline rollback or headrace pipeline approve'",
    )


def find_missing_version(registry: ModelRegistry, *, status: str) -> Reason:
    """That the version `$serving_package` of an endpoint with this status, in JSONata, was not read into `$parent`."""
    return Reason(
        f"$endpoint.Status = ({status}) and {registry.is_version('$serving_package')} and $parent != $serving_package",
        "VersionMissing",
        "'version ' & $serving_package & ', which served last at endpoint ' & $endpoint_name & ', was deleted, and "
        "the endpoint is neither stopped nor started without it: have another one served with headrace pipeline "
        "rollback or headrace pipeline approve'",
    )


def finish(outcome: Outcome, *, reason: str = COMMENT, **also: str) -> Finish:
    """An end that says what has become of the endpoint, and why, given as JSONata."""
    return Finish(
        output={
            contract.OUTCOME_OUTPUT: outcome,
            contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
            **also,
            contract.REASON_OUTPUT: jsonata(reason),
        }
    )


def _list(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)
