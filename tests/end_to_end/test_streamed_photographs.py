"""A residual network that learns from augmented manifests in Pipe mode, and answers at its endpoint."""

import json
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace import lst
from headrace.contract import JOB_NAME_INPUT
from headrace.local.platform import pipeline
from headrace.manifest import convert_list
from headrace.recipes import resnet
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import CLASSES, QUICK_NETWORK
from tests.local_clouds import clients_of
from tests.stacks.conftest import context_of, set_path
from tests.stacks.synthesis import assemble
from tests.torch_packages import require_torch

pytestmark = pytest.mark.slow
PREFIX = "resnet/photographs/"
STREAMED = ("train", "validation")


def list_channels() -> list[dict[str, Any]]:
    """A channel of each augmented manifest."""
    common = {
        "source": "s3",
        "data_type": "augmented_manifest",
        "objects": PREFIX,
        "input_mode": "Pipe",
        "attribute_names": ["source-ref", "class"],
        "record_wrapper": "RecordIO",
        "shuffle_seed": 7,
    }
    return [common | {"name": name, "path": f"resnet/manifests/{name}.manifest"} for name in STREAMED]


def put_photographs(folder: Path, bucket: str, scratch: Path) -> list[Path]:
    """Put photographs and their manifests into a bucket; those held out."""
    s3 = boto3.client("s3")
    _, *both = lst.make_lists(folder)
    for name, rows in zip(STREAMED, both, strict=True):
        lst.write_lst(scratch / f"{name}.lst", rows)
        manifest = scratch / f"{name}.manifest"
        convert_list(scratch / f"{name}.lst", f"s3://{bucket}/{PREFIX}", manifest)
        s3.upload_file(str(manifest), bucket, f"resnet/manifests/{name}.manifest")
        for row in rows:
            s3.upload_file(str(folder / row.path), bucket, f"{PREFIX}{row.path}")
    return [folder / row.path for row in both[1]]


def test_learns_from_augmented_manifests_and_answers(tmp_path: Path, made_up_photographs: Path) -> None:
    require_torch()
    context = context_of("dev")
    training = {"channels": list_channels(), "hyperparameters": QUICK_NETWORK}
    set_path(context["environments"]["dev"], "resnet", {"training": training, "gate": {"rules": []}})

    with running_with_app(tmp_path / "cloud", assemble(context)) as cloud, clients_of(cloud):
        deployment = push_container_images(cloud, "dev")
        held_out = put_photographs(made_up_photographs, deployment.raw_bucket, tmp_path)
        name = f"streamed-{uuid.uuid4().hex[:8]}"
        arn = pipeline.start_execution(deployment, resnet.RECIPE, name, {"EndpointName": name})
        report = pipeline.follow_execution(arn, lambda _: None)
        job = boto3.client("sagemaker").describe_training_job(TrainingJobName=report.output[JOB_NAME_INPUT])
        types = {"content_type": resnet.CONTENT_TYPE, "accept": "application/json"}
        answer = json.loads(pipeline.invoke_endpoint(name, held_out[0].read_bytes(), **types))

    sources = [channel["DataSource"]["S3DataSource"] for channel in job["InputDataConfig"]]
    assert [source["S3DataType"] for source in sources] == ["AugmentedManifestFile"] * 2
    assert {channel["InputMode"] for channel in job["InputDataConfig"]} == {"Pipe"}
    assert report.output["Metrics"].keys() >= {"train:accuracy", "validation:accuracy"}
    assert len(answer) == CLASSES
    assert sum(answer) == pytest.approx(1, abs=1e-4)
