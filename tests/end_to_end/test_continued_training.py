"""A residual network that goes on from its first version, and a comparison that says which photographs are new."""

import json
import tarfile
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from headrace import lst
from headrace.cli import cli
from headrace.contract import JOB_NAME_INPUT, MODEL_CHANNEL
from headrace.local.platform import pipeline
from headrace.local.platform.deployment import Deployment
from headrace.recipes import resnet
from tests.deploying import deploy, push_container_images, running_with_app
from tests.end_to_end.conftest import QUICK_NETWORK
from tests.local_clouds import clients_of
from tests.stacks.conftest import context_of, set_path
from tests.stacks.synthesis import assemble
from tests.torch_packages import require_torch

pytestmark = pytest.mark.slow
NEW = 3


def synthesize_with(continue_from: int | None) -> Path:
    """The app with a network that begins anew, or goes on from a version."""
    context = context_of("dev")
    training = {"hyperparameters": QUICK_NETWORK, "continue_from": continue_from}
    set_path(context["environments"]["dev"], "resnet", {"training": training, "gate": {"rules": []}})
    return assemble(context)


def put_list(bucket: str, scratch: Path, name: str, rows: list[Any]) -> None:
    """Put a list into a bucket."""
    path = scratch / f"{name}.lst"
    lst.write_lst(path, rows)
    boto3.client("s3").upload_file(str(path), bucket, f"resnet/lists/{name}/{name}.lst")


def train(deployment: Deployment) -> dict[str, Any]:
    """Run an execution to its end; its training job."""
    name = f"continued-{uuid.uuid4().hex[:8]}"
    arn = pipeline.start_execution(deployment, resnet.RECIPE, name, {"EndpointName": name})
    report = pipeline.follow_execution(arn, lambda _: None)
    return dict(boto3.client("sagemaker").describe_training_job(TrainingJobName=report.output[JOB_NAME_INPUT]))


def read_weights(job: dict[str, Any], scratch: Path) -> bytes:
    """What a job's archive has of the weights as they were learnt."""
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    path = scratch / f"{job['TrainingJobName']}.tar.gz"
    boto3.client("s3").download_file(bucket, key, str(path))
    with tarfile.open(path) as archive:
        file = archive.extractfile("network.npz")
        assert file
        return file.read()


def test_goes_on_from_a_version_and_says_what_is_new(tmp_path: Path, made_up_photographs: Path) -> None:
    require_torch()
    _, training, validation = lst.make_lists(made_up_photographs)

    with running_with_app(tmp_path / "cloud", synthesize_with(None)) as cloud, clients_of(cloud):
        deployment = push_container_images(cloud, "dev")
        bucket = deployment.raw_bucket
        for row in (*training, *validation):
            key = f"resnet/photographs/{row.path}"
            boto3.client("s3").upload_file(str(made_up_photographs / row.path), bucket, key)
        put_list(bucket, tmp_path, "validation", validation)
        put_list(bucket, tmp_path, "train", training[NEW:])
        first = train(deployment)

        deploy(synthesize_with(1))
        put_list(bucket, tmp_path, "train", training)
        second = train(push_container_images(cloud, "dev"))
        compared = CliRunner().invoke(
            cli, ["pipeline", "compare", "1", "2", "--workload", "resnet", "--json"], catch_exceptions=False
        )
        weights = [read_weights(job, tmp_path) for job in (first, second)]

    assert MODEL_CHANNEL not in [channel["ChannelName"] for channel in first["InputDataConfig"]]
    (taken,) = (channel for channel in second["InputDataConfig"] if channel["ChannelName"] == MODEL_CHANNEL)
    assert taken["DataSource"]["S3DataSource"]["S3Uri"] == first["ModelArtifacts"]["S3ModelArtifacts"]
    assert weights[0] != weights[1]
    found = json.loads(compared.stdout)
    assert found["after"]["facts"]["headrace:parent"] == found["before"]["modelPackageArn"]
    assert found["channels"][MODEL_CHANNEL]["added"] == ["model.tar.gz"]
    assert found["channels"]["train"]["added"] == sorted(row.path for row in training[:NEW])
    assert found["channels"]["train"]["gone"] == found["channels"]["train"]["changed"] == []
    assert found["channels"]["train_lst"]["changed"] == ["train.lst"]
