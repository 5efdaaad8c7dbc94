"""Channels of every kind from the settings."""

import json
from typing import Any

import pytest

from headrace.channels import AugmentedManifestChannel, ManifestChannel, S3Channel
from stacks.settings.listed_channels import ChannelSettings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.settings.test_environment import refusal

AUGMENTED: dict[str, Any] = {
    "data_type": "augmented_manifest",
    "path": "images/train.manifest",
    "objects": "images/photographs/",
    "input_mode": "Pipe",
    "attribute_names": ["source-ref", "class"],
}
MANIFEST: dict[str, Any] = {"data_type": "manifest", "path": "images/part.json", "objects": "images/photographs/"}


def channel(**changes: Any) -> dict[str, Any]:
    return {"name": "train_lst", "source": "s3", "path": "images/lists/"} | changes


def render(**changes: Any) -> dict[str, Any]:
    return ChannelSettings.model_validate(channel(**changes)).describe("s3://raw/", content_type="text/csv").render()


def test_describes_an_augmented_manifest_with_all_that_a_stream_can_have() -> None:
    rendered = render(**AUGMENTED, record_wrapper="RecordIO", shuffle_seed=7, distribution="ShardedByS3Key")

    assert rendered == AugmentedManifestChannel(
        name="train_lst",
        uri="s3://raw/images/train.manifest",
        content_type="text/csv",
        attribute_names=("source-ref", "class"),
    ).render() | {
        "RecordWrapperType": "RecordIO",
        "ShuffleConfig": {"Seed": 7},
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "AugmentedManifestFile",
                "S3Uri": "s3://raw/images/train.manifest",
                "S3DataDistributionType": "ShardedByS3Key",
                "AttributeNames": ["source-ref", "class"],
            }
        },
    }


def test_describes_a_manifest_and_a_prefix() -> None:
    manifest = ManifestChannel(name="train_lst", uri="s3://raw/images/part.json", content_type="text/csv")
    prefix = S3Channel(name="train_lst", uri="s3://raw/images/lists/", content_type="text/csv")

    assert render(**MANIFEST) == manifest.render()
    assert render() == prefix.render()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**AUGMENTED, "input_mode": "File"}, "input_mode is File: SageMaker streams augmented manifests"),
        ({**AUGMENTED, "attribute_names": []}, "attribute_names has 0 entries: SageMaker allows 1 to 16"),
        ({**AUGMENTED, "attribute_names": ["class", "class"]}, "attribute_names has 'class' twice"),
        ({**AUGMENTED, "objects": None}, "objects: missing, and data_type is augmented_manifest"),
        ({**MANIFEST, "input_mode": "FastFile"}, "input_mode is FastFile: FastFile mounts a folder"),
        ({**MANIFEST, "path": "images/"}, "S3DataType ManifestFile needs the manifest itself"),
        ({**MANIFEST, "attribute_names": ["class"]}, "attribute_names: found class, but data_type is manifest"),
        ({"objects": "images/"}, "objects: found 'images/', but data_type is prefix"),
        ({"shuffle_seed": 7}, "shuffle_seed is 7 in File mode"),
        ({"record_wrapper": "RecordIO"}, "record_wrapper is RecordIO in File mode"),
        ({"input_mode": "Pipe"}, "channels.0.input_mode: Pipe is a stream, and our own program reads files"),
        (
            {"source": "efs", "path": "/lists", "input_mode": "FastFile"},
            "input_mode: found 'FastFile', but source is efs, a file system",
        ),
        (
            {"source": "fsx", "path": "/lists", "distribution": "ShardedByS3Key"},
            "distribution: found 'ShardedByS3Key', but source is fsx, a file system",
        ),
    ],
)
def test_refuses_what_no_channel_can_have(given: dict[str, Any], reason: str) -> None:
    assert reason in refusal("images.training.channels", [channel(**given)])


def test_lets_the_job_read_a_manifest_and_what_it_lists() -> None:
    changes = {"images.training.channels": [channel(**MANIFEST)]}

    template = template_with("Images", "dev", changes).to_json()

    request = read_definition(template)["States"]["Train"]["Arguments"]
    (source,) = (each["DataSource"]["S3DataSource"] for each in request["InputDataConfig"])
    roles = json.dumps([each for each in template["Resources"].values() if each["Type"] == "AWS::IAM::Policy"])
    assert source["S3DataType"] == "ManifestFile"
    assert "/images/part.json" in roles
    assert "/images/photographs/" in roles
