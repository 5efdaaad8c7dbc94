"""Tell what the execution has made, and end."""

from collections.abc import Mapping
from typing import Final

from headrace import contract
from stacks.pipeline.asl import Choice, Finish, Rule, State, jsonata

_DONE: Final = "Done"
_SUPERSEDED: Final = "Superseded"


def tell(_after: str) -> Mapping[str, State]:
    """A later execution's configuration in service is a good end, too: nothing is left to do."""
    superseded = Rule(condition="$serving != $config", next=_SUPERSEDED)
    return {
        "Serving": Choice(rules=(superseded,), default=_DONE),
        _DONE: _report(),
        _SUPERSEDED: _report(SupersededBy=jsonata("$serving")),
    }


def _report(**also: str) -> Finish:
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
