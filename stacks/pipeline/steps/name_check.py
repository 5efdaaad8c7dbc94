"""Name a check for drift, and say from when to when requests count."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_s3 as s3

from headrace.contract import drift_prefix
from headrace.drift.contract import TIME_INPUT
from stacks.pipeline import names, quota, registry
from stacks.pipeline.asl import Choice, Pass, State, jsonata
from stacks.pipeline.execution_input import refuse, refuse_other_inputs
from stacks.pipeline.step import Step
from stacks.pipeline.steps import find_serving

_READ: Final = "Read Input"
_CHECK: Final = "Check Input"
_SET: Final = "Set Window"
_EXAMPLE: Final = f'{{}} or {{"{TIME_INPUT}": "2026-11-29T06:00:00Z"}}'
_TIME: Final = f"$request.{TIME_INPUT}"
_IS_TIME: Final = f"$contains({_TIME}, /^[0-9]{{4}}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$/)"
_HOUR: Final = 3_600_000
# What must be assigned before anything is looked at: of the version that serves, and of what was captured.
_VARIABLES: Final[Mapping[str, Any]] = {
    **registry.VARIABLES,
    **find_serving.VARIABLES,
    **quota.VARIABLES,
    "has_truth": False,
    "retraining": jsonata("''"),
}


def name_check(endpoint_name: str, work: s3.IBucket, workload: str, window_hours: int) -> Step:
    """Requests count from `$since` to `$until`, which is the time that the input gives; the report goes to `$report`.

    Args:
        endpoint_name: The endpoint whose requests are checked.
        work: The bucket of reports.
        workload: The workload.
        window_hours: For how long before that time requests count.
    """
    given = {"request": jsonata("$states.input"), "endpoint_name": endpoint_name}
    named = {name: jsonata(names.name_from_execution()) for name in ("job_name", "execution")}
    until = f"$toMillis($exists({_TIME}) ? {_TIME} : $states.context.Execution.StartTime)"
    window = {
        "since": jsonata(f"$fromMillis({until} - {window_hours * _HOUR})"),
        "until": jsonata(f"$fromMillis({until})"),
        "report": jsonata(f"'s3://{work.bucket_name}/{drift_prefix(workload)}' & $execution & '/'"),
    }
    wrong = refuse(
        f"$exists({_TIME}) and ($type({_TIME}) = 'string' ? $not({_IS_TIME}) : true)",
        f"'{TIME_INPUT}: found ' & $string({_TIME}) & '; allowed: a time in UTC such as 2026-11-29T06:00:00Z'",
    )

    def states(after: str) -> Mapping[str, State]:
        return {
            _READ: Pass(assign={**given, **named, **_VARIABLES}, next=_CHECK),
            _CHECK: Choice(rules=(*refuse_other_inputs([TIME_INPUT], example=_EXAMPLE), wrong), default=_SET),
            _SET: Pass(assign=window, next=after),
        }

    return states
