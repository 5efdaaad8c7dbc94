"""Make the training job's input of the raw data."""

from typing import Final

from aws_cdk import aws_s3 as s3

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import PreprocessingJob, execution_uri
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

_PREPROCESS: Final = "Preprocess"


def preprocess(tasks: SageMakerTasks, job: PreprocessingJob, work: s3.IBucket, workload: str) -> Step:
    """Run the processing job `$job_name`; its outputs go below the execution's own prefix."""
    output_uris = {output: execution_uri(work, workload, output) for output in job.output_paths}
    arguments = job.render(jsonata(name_for_attempt("$job_name")), output_uris)
    return lambda after: tasks.run_processing_job(_PREPROCESS, arguments, role=job.role, next_state=after, assign={})
