"""Make the model."""

from typing import Final

from aws_cdk import aws_s3 as s3

from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import TrainingJob, checkpoints_uri, execution_uri
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

_TRAIN: Final = "Train"


def train(tasks: SageMakerTasks, job: TrainingJob, work: s3.IBucket, workload: str) -> Step:
    """Run the training job `$job_name`, then the one that ran.

    `$model_data` is its model, `$metrics` its scores, and `$hyperparameters` what it was started with.
    """
    arguments = job.render(
        jsonata(name_for_attempt("$job_name")), execution_uri(work, workload, "model"), checkpoints_uri(work, workload)
    )
    assign = {
        "job_name": jsonata("$states.result.TrainingJobName"),
        "model_data": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts"),
        "metrics": jsonata(
            "$exists($states.result.FinalMetricDataList) ? $states.result.FinalMetricDataList{MetricName: Value} : {}"
        ),
        "hyperparameters": jsonata("$exists($states.result.HyperParameters) ? $states.result.HyperParameters : {}"),
    }
    return lambda after: tasks.run_training_job(_TRAIN, arguments, role=job.role, next_state=after, assign=assign)
