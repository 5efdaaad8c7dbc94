"""Start the endpoint again with the configuration that served last, unless it stands."""

from collections.abc import Mapping
from typing import Final

from headrace.contract import Outcome, ServedNote
from stacks.pipeline.asl import Choice, Rule, State, jsonata
from stacks.pipeline.endpoint_actions import HAS_VERSION, finish
from stacks.pipeline.failure import FAILED, assign_failure
from stacks.pipeline.growing import count_waits, wait_longer
from stacks.pipeline.served import take_noted
from stacks.pipeline.steps import find_serving, save_model
from stacks.pipeline.steps.find_serving import NOT_LOOKED_AT
from stacks.pipeline.steps.serve import LOOK, is_in_progress

ENTRY: Final = "Endpoint Can Be Started"
STANDING: Final = "Standing Already"
NOTHING: Final = "Nothing To Start"
# What must be assigned before.
VARIABLES: Final = {"start_polls": 0}

_WAIT: Final = "Wait To Start"
_LONGEST_POLL_SECONDS: Final = 300
# An hour; then somebody must look.
_MOST_POLLS: Final = count_waits(3600, longest_seconds=_LONGEST_POLL_SECONDS)
_APPROVED: Final = "Approved"


def start_endpoint(_after: str) -> Mapping[str, State]:
    """Lead on to where an endpoint is made of what `$noted` says served last.

    That is not done if it is no longer approved, or is not what it was registered as. An endpoint that an
    execution has made meanwhile serves a newer one; one that is being deleted is looked at again until it is gone.
    """
    return {
        ENTRY: _choose(),
        _WAIT: wait_longer("start_polls", longest_seconds=_LONGEST_POLL_SECONDS, next_state=find_serving.ENTRY),
        STANDING: finish(Outcome.STANDING, EndpointConfigName=jsonata("$endpoint.ConfigName")),
        NOTHING: finish(Outcome.NOTHING_TO_START),
    }


def _choose() -> Choice:
    is_missing = f"$endpoint.Status = '{NOT_LOOKED_AT}'"
    unapproved = assign_failure(
        "VersionNotApproved",
        f"'version ' & $noted.{ServedNote.PACKAGE} & ', which served last at endpoint ' & $endpoint_name & ', is ' & "
        "$approval & ' since: approve it, or have another one served with headrace pipeline rollback or headrace "
        "pipeline approve'",
    )
    package = {"package": take_noted()["package"]}
    rules = (
        Rule(condition=f"{is_missing} and $not($is_noted)", next=NOTHING),
        Rule(
            condition=f"{is_missing} and {HAS_VERSION} and $approval != '{_APPROVED}'", next=FAILED, assign=unapproved
        ),
        Rule(condition=f"{is_missing} and {HAS_VERSION}", next=save_model.ENTRY, assign=package),
        Rule(condition=is_missing, next=LOOK, assign=take_noted()),
    )
    standing = Rule(condition=f"$endpoint.Status = 'InService' or {is_in_progress()}", next=STANDING)
    going = Rule(
        condition=f"$endpoint.Status = 'Deleting' and $start_polls < {_MOST_POLLS}",
        next=_WAIT,
        assign={"start_polls": jsonata("$start_polls + 1"), "endpoint": {"Status": NOT_LOOKED_AT}},
    )
    unusable = assign_failure(
        "EndpointUnusable",
        "'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & ': delete it, and start it then. ' & "
        "$endpoint.FailureReason",
    )
    return Choice(rules=(*rules, standing, going, Rule(condition="true", next=FAILED, assign=unusable)), default=FAILED)
