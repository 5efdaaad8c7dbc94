"""Have a job check requests for drift, and publish what it has found."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from headrace.drift.contract import (
    ENVIRONMENT_DIMENSION,
    NAMESPACE,
    NOT_COMPARED,
    PAGE_FILE,
    WORKLOAD_DIMENSION,
    Finding,
    Metric,
    Verdict,
)
from stacks.nag import wildcard_resource
from stacks.pipeline.asl import CALL_SECONDS, Retry, State, Task, jsonata, retry_busy
from stacks.pipeline.drift_job import REPORT, DriftJob
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.permission import Permission
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

PUBLISH: Final = "Publish Metrics"
_CHECK: Final = "Check For Drift"
# CloudWatch's InternalServiceFault, as the SDK that Step Functions calls it with has it.
_BROKEN: Final = Retry(errors=("CloudWatch.InternalServiceException",), interval_seconds=5, max_attempts=4)
_MESSAGE: Final = f"$merge([$parse($states.result.ExitMessage), {{'{Finding.REPORT}': {REPORT} & '{PAGE_FILE}'}}])"


def check_drift(tasks: SageMakerTasks, job: DriftJob) -> Step:
    """Run the job; `$found` is what it has found, by the keys of `Finding`."""
    assign = {"found": jsonata(_MESSAGE)}
    return lambda after: tasks.run_processing_job(_CHECK, job.render(), role=job.role, next_state=after, assign=assign)


def publish_drift(environment: str, workload: str) -> Step:
    """Publish the metrics of `$found`: those of columns only where something can be said of them.

    A check that had nothing to compare with does not count as one, so that its absence is noticed.
    """
    dimensions = ", ".join(
        f"{{ 'Name': '{name}', 'Value': '{value}' }}"
        for name, value in {ENVIRONMENT_DIMENSION: environment, WORKLOAD_DIMENSION: workload}.items()
    )
    compared = f"$found.{Finding.VERDICT} != '{NOT_COMPARED}'"
    said = f"$found.{Finding.VERDICT} in ['{Verdict.STEADY}', '{Verdict.DRIFTED}']"
    data = (
        f"( $dimensions := [{dimensions}]; $datum := function($name, $value) "
        "{ { 'MetricName': $name, 'Dimensions': $dimensions, 'Value': $value } }; "
        f"$append([{compared} ? $datum('{Metric.CHECKS}', 1), $datum('{Metric.ROWS}', $found.{Finding.ROWS})], {said} "
        f"? [$datum('{Metric.COLUMNS}', $found.{Finding.COUNT}), $datum('{Metric.INDEX}', $found.{Finding.INDEX})] "
        ": []) )"
    )

    def states(after: str) -> Mapping[str, State]:
        return {
            PUBLISH: Task(
                resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:cloudwatch:putMetricData",
                arguments={"Namespace": NAMESPACE, "MetricData": jsonata(data)},
                timeout_seconds=CALL_SECONDS,
                retry=(_BROKEN, retry_busy("CloudWatch")),
                catch=(keep_failure(PUBLISH),),
                next=after,
                permissions=(_allow_metrics(),),
            )
        }

    return states


def _allow_metrics() -> Permission:
    statement = iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
    )
    return Permission(
        statement=statement,
        findings={
            wildcard_resource("*"): "CloudWatch knows no resources for metrics; a condition limits the namespace."
        },
    )
