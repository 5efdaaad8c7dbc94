"""The real program on spot instances of the local SageMaker, killed without a warning."""

import io
import sys
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from headrace.local.sagemaker import Patience, RunnableContainerImage
from headrace.local.sagemaker.kinds import training_jobs
from headrace.recipes import big_mart
from tests.headrace.local.sagemaker.cloud import Cloud, find_training_jobs, s3_channel
from tests.headrace.local.sagemaker.fakes import FakeS3

pytestmark = pytest.mark.slow

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/forest:latest"


class KillingS3(FakeS3):
    """Has the job's machine taken away as soon as some of its parts are stored."""

    cloud: Cloud
    kill_at: list[str]

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str, *, ExtraArgs: Any) -> Any:  # noqa: N803
        super().upload_fileobj(file, bucket, key, ExtraArgs=ExtraArgs)
        if self.kill_at and key.startswith("spot/") and key.rpartition("/")[2] >= self.kill_at[0]:
            job = find_training_jobs(self.cloud).find("spot")
            # Several parts may be stored at once, and a job has its machine taken away once.
            if job._interruption is None and job.interrupt(grace_seconds=0):
                self.kill_at.pop(0)


def read_model(s3: FakeS3, job: str) -> bytes:
    archive = s3.buckets["work"][f"models/{job}/output/model.tar.gz"]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile("model.onnx")
        assert member
        return member.read()


def read_metrics(job: dict[str, Any]) -> dict[str, float]:
    return {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}


def test_ends_with_the_same_metrics_and_model_after_three_kills_at_random_points(
    tmp_path: Path, channels: dict[str, Path], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_jobs, "CHECKPOINTS_INTERVAL_SECONDS", 0.05)
    s3 = KillingS3("raw", "work")
    cloud = s3.cloud = Cloud(tmp_path, Patience(), s3)
    points = np.sort(np.random.default_rng(7).choice(np.arange(1, 25), 3, replace=False))
    s3.kill_at = [f"part-{point:06}.npz" for point in points]
    cloud.registry.images[IMAGE] = RunnableContainerImage(
        entrypoint=(sys.executable, "-u", "-m", big_mart.RECIPE.training.image.package),
        working_directory=repository,
        environment={},
    )
    for name, folder in channels.items():
        for file in folder.iterdir():
            s3.put("raw", f"{name}/{file.name}", file.read_bytes())
    request: dict[str, Any] = {
        "algorithm": {
            "MetricDefinitions": [
                {"Name": name, "Regex": regex} for name, regex in big_mart.RECIPE.training.metrics.items()
            ]
        },
        "InputDataConfig": [s3_channel(f"s3://raw/{name}/", name) for name in channels],
        "HyperParameters": {"n_estimators": "200", "min_samples_leaf": "20"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    whole = cloud.train_to_end(IMAGE, "whole", **request)
    spot: dict[str, Any] = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        "CheckpointConfig": {"S3Uri": "s3://work/spot/"},
        "Environment": {"HEADRACE_CHECKPOINT_SECONDS": "0"},
    }

    killed = cloud.train_to_end(IMAGE, "spot", **{**request, **spot})

    statuses = [transition["Status"] for transition in killed["SecondaryStatusTransitions"]]
    assert (killed["TrainingJobStatus"], statuses.count("Interrupted")) == ("Completed", 3)
    assert any("checkpoint_resumed" in line for line in cloud.logs.lines("/aws/sagemaker/TrainingJobs"))
    assert read_metrics(killed) == read_metrics(whole) != {}
    assert read_model(s3, "spot") == read_model(s3, "whole")
    cloud.sagemaker.close()
