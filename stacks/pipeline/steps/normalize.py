"""Make a set of normalized images."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_iam as iam

from stacks.pipeline.asl import jsonata
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

_NORMALIZE: Final = "Normalize"


def normalize(tasks: SageMakerTasks, request: Mapping[str, Any], role: iam.IRole) -> Step:
    """Run the job `$job_name`, which is then the one that ran; `$report` is what it says in the end.

    Args:
        tasks: Makes the state.
        request: CreateProcessingJob's.
        role: What the job runs under.
    """
    assign = {
        "job_name": jsonata("$states.result.ProcessingJobName"),
        "report": jsonata("$exists($states.result.ExitMessage) ? $states.result.ExitMessage : ''"),
    }
    return lambda after: tasks.run_processing_job(_NORMALIZE, request, role=role, next_state=after, assign=assign)
