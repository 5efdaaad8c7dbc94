"""The three ways in: train a model, make a version of an archive, or deploy a version that there is."""

from collections.abc import Mapping
from typing import Any, Final

from headrace import contract
from stacks.pipeline import as_asked
from stacks.pipeline.asl import Choice, Pass, Rule, State, jsonata
from stacks.pipeline.failure import Reason, fail_for
from stacks.pipeline.step import Step
from stacks.pipeline.steps import judge, mark_served, save_model
from stacks.pipeline.steps.read_version import IS_GIVEN

# What must be assigned before where versions are judged: whether one was trained, and where it has served, in lower
# case.
VARIABLES: Final[Mapping[str, Any]] = {"is_trained": False, "served_at": jsonata("[]")}

_CHOOSE: Final = "Choose Way In"
_TAKE: Final = "Take Archive"
_IS_ARCHIVE: Final = f"$exists($request.{contract.MODEL_DATA_URL_INPUT})"


def choose_way_in(*, judges: bool) -> Step:
    """Go on to the first step that the input asks for; the default is to train.

    A version that serves already has nothing to be done unless the settings have changed since: who approves one twice,
    or two people at once, gets the same.

    Args:
        judges: Whether a version that has not served at this endpoint yet is judged by what serves there. One that has
            is gone back to, one that serves is not compared with itself, and an archive that nothing has trained has no
            metrics.
    """
    is_new = f"{IS_GIVEN} and $is_trained and $parent != $package and $not($lowercase($endpoint_name) in $served_at)"
    judged = [Rule(condition=is_new, next=judge.ENTRY)] if judges else []
    return lambda after: _choose(_refuse_others(), _find_served(), *judged, after=after)


def choose_way_in_to_batch(after: str) -> Mapping[str, State]:
    """The same where no endpoint is made: a version may be asked about one batch after the other."""
    return _choose(after=after)


def _refuse_others() -> Rule:
    """An endpoint that the state machine could not change once a model is trained for it."""
    cause = (
        "'the tags of endpoint ' & $endpoint_name & ' do not say that it is of this environment and workload, so the "
        "state machine may not change it: give another EndpointName, or delete that endpoint'"
    )
    return fail_for(Reason("$not($is_ours)", "EndpointNotOurs", cause))


def _find_served() -> Rule:
    return Rule(
        condition=f"{IS_GIVEN} and $parent = $package and ${as_asked.VARIABLE} and $endpoint.Status = 'InService'",
        next=mark_served.ENTRY,
        assign={
            "model": jsonata("$serving_model"),
            "config": jsonata("$endpoint.ConfigName"),
            "serving": jsonata("$endpoint.ConfigName"),
        },
    )


def _choose(*first: Rule, after: str) -> Mapping[str, State]:
    return {
        _CHOOSE: Choice(
            rules=(
                *first,
                Rule(condition=IS_GIVEN, next=save_model.ENTRY),
                Rule(condition=_IS_ARCHIVE, next=_TAKE),
            ),
            default=after,
        ),
        _TAKE: Pass(
            assign={"model_data": jsonata(f"$request.{contract.MODEL_DATA_URL_INPUT}"), "job_name": jsonata("''")},
            next=save_model.ENTRY,
        ),
    }


# For type checkers: it is a step.
_: Step = choose_way_in_to_batch
