"""Tell what the execution has made, and end."""

from collections.abc import Mapping
from typing import Any, Final

from headrace import contract
from headrace.contract import Outcome
from stacks.pipeline.asl import Choice, Finish, Rule, State, jsonata
from stacks.pipeline.endpoint_actions import ACTION, COMMENT
from stacks.pipeline.step import Step

_DONE: Final = "Done"
_SUPERSEDED: Final = "Superseded"
_STARTED: Final = "Started"


def tell(also: Mapping[str, Any], *, starts: bool) -> Step:
    """A later execution's configuration in service is a good end, too: nothing is left to do.

    Args:
        also: What else the output says.
        starts: Whether an execution may have started the endpoint again with what served last, and nothing else.
    """

    def states(_after: str) -> Mapping[str, State]:
        superseded = Rule(condition="$serving != $config", next=_SUPERSEDED)
        started = Rule(condition=f"$exists({ACTION})", next=_STARTED)
        why = {**also, contract.REASON_OUTPUT: jsonata(COMMENT)}
        return {
            "Serving": Choice(rules=(superseded, started) if starts else (superseded,), default=_DONE),
            _DONE: _report(Outcome.SERVING, also),
            **({_STARTED: _report(Outcome.STARTED, why)} if starts else {}),
            _SUPERSEDED: _report(Outcome.SERVING, {**also, "SupersededBy": jsonata("$serving")}),
        }

    return states


def _report(outcome: Outcome, also: Mapping[str, Any]) -> Finish:
    return Finish(
        output={
            contract.OUTCOME_OUTPUT: outcome,
            contract.JOB_NAME_INPUT: jsonata("$job_name"),
            contract.MODEL_NAME_INPUT: jsonata("$model"),
            contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
            "EndpointConfigName": jsonata("$config"),
            contract.MODEL_PACKAGE_ARN_INPUT: jsonata("$package"),
            "ModelDataUrl": jsonata("$model_data"),
            "Metrics": jsonata("$metrics"),
            contract.RULES_OUTPUT: jsonata("$judged"),
            contract.NOT_NOTED_OUTPUT: jsonata("$not_noted"),
            **also,
        }
    )
