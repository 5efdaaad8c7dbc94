"""Ask the model about a batch, instead of an endpoint: nothing that costs is left when the job has ended."""

from typing import Final

from aws_cdk import aws_s3 as s3

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import TransformJob, execution_uri
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

_TRANSFORM: Final = "Transform"


def transform(tasks: SageMakerTasks, job: TransformJob, work: s3.IBucket, workload: str) -> Step:
    """Run the transform job `$execution` on the model `$model`.

    `$transform_job` is the one that ran, and `$transformed` where it has left an object for each of the input.
    """
    arguments = job.render(
        jsonata(name_for_attempt("$execution")), jsonata("$model"), execution_uri(work, workload, "transformed/")
    )
    assign = {
        "transform_job": jsonata("$states.result.TransformJobName"),
        "transformed": jsonata("$states.result.TransformOutput.S3OutputPath"),
    }
    return lambda after: tasks.run_transform_job(
        _TRANSFORM,
        arguments,
        max_runtime_seconds=job.settings.max_runtime_seconds,
        next_state=after,
        assign=assign,
    )
