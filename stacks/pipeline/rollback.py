"""Says which alarm rolled an update back."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from stacks.pipeline.asl import CALL_SECONDS, Catch, State, Task, jsonata, retry_busy
from stacks.pipeline.failure import FAILED
from stacks.pipeline.permission import Permission

FIND_ALARM: Final = "Find Alarm"
# When the change began, in milliseconds, for the alarms that have gone off since.
CHANGED_AT: Final = "changed_at"
_WENT_OFF: Final = f"StateValue = 'ALARM' or $toMillis(StateTransitionedTimestamp) > ${CHANGED_AT}"


def find_alarm(alarms: Sequence[str]) -> Mapping[str, State]:
    """Add to `$failure` the names of the alarms that have gone off; whatever goes wrong here is not the failure."""
    cause = (
        f"( $names := $states.result.MetricAlarms[{_WENT_OFF}].AlarmName; "
        "$merge([$failure, { 'Cause': $failure.Cause & "
        "($exists($names) ? ' Alarms that have gone off: ' & $join($names, ', ') & '.' : '') }]) )"
    )
    look = Task(
        resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:cloudwatch:describeAlarms",
        arguments={"AlarmNames": list(alarms)},
        timeout_seconds=CALL_SECONDS,
        retry=(retry_busy("CloudWatch"),),
        assign={"failure": jsonata(cause)},
        catch=(Catch(errors=("States.ALL",), next=FAILED),),
        next=FAILED,
        permissions=(Permission(statement=allow_looking()),),
    )
    return {FIND_ALARM: look}


def allow_looking() -> iam.PolicyStatement:
    """Let a role see how alarms are: it lists them, and is not known to be judged on those that are named."""
    return iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"])
