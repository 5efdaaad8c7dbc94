"""Tell what the execution has made, and end."""

from collections.abc import Mapping
from typing import Any, Final

from headrace import contract
from stacks.pipeline.asl import Choice, Finish, Rule, State, jsonata
from stacks.pipeline.step import Step

_DONE: Final = "Done"
_SUPERSEDED: Final = "Superseded"


def tell(also: Mapping[str, Any]) -> Step:
    """A later execution's configuration in service is a good end, too: nothing is left to do.

    Args:
        also: What else the output says.
    """

    def states(_after: str) -> Mapping[str, State]:
        superseded = Rule(condition="$serving != $config", next=_SUPERSEDED)
        return {
            "Serving": Choice(rules=(superseded,), default=_DONE),
            _DONE: _report(also),
            _SUPERSEDED: _report({**also, "SupersededBy": jsonata("$serving")}),
        }

    return states


def _report(also: Mapping[str, Any]) -> Finish:
    return Finish(
        output={
            contract.OUTCOME_OUTPUT: contract.Outcome.SERVING,
            contract.JOB_NAME_INPUT: jsonata("$job_name"),
            contract.MODEL_NAME_INPUT: jsonata("$model"),
            contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
            "EndpointConfigName": jsonata("$config"),
            contract.MODEL_PACKAGE_ARN_INPUT: jsonata("$package"),
            "ModelDataUrl": jsonata("$model_data"),
            "Metrics": jsonata("$metrics"),
            contract.RULES_OUTPUT: jsonata("$judged"),
            **also,
        }
    )
