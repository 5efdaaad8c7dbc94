"""Several instances of the local SageMaker preprocess together what one of them preprocesses alone."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.big_mart.preprocessing.__main__ import main
from containers.shared.job.outputs import Outputs
from headrace.local.sagemaker import Patience, RunnableContainerImage
from tests.containers.job_roots import make_sales, write_sales
from tests.headrace.local.sagemaker.cloud import Cloud

REPOSITORY = Path(__file__).resolve().parents[4]
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/preprocessing:1"
FILES = 7
OUTPUTS = ("train", "test", "encoding")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path / "cloud", Patience(job_stop_seconds=10, close_seconds=0.5))
    cloud.registry.images[IMAGE] = RunnableContainerImage(
        entrypoint=(sys.executable, "-m", "containers.big_mart.preprocessing"),
        working_directory=REPOSITORY,
        environment={},
    )
    yield cloud
    cloud.sagemaker.close()


def write_files(root: Path) -> Path:
    """Sales in files of very different length, one of which has no row."""
    sales = make_sales(300)
    for number in range(FILES):
        some = [] if number == 3 else sales[number**2 * 5 : (number + 1) ** 2 * 5]
        folder = write_sales(root, some, name=f"part {number}.csv").parent
    return folder


def put_files(cloud: Cloud, folder: Path) -> None:
    for path in folder.iterdir():
        cloud.s3.put("raw", f"bigmart/{path.name}", path.read_bytes())


def preprocess(cloud: Cloud, instances: int, *arguments: str) -> dict[str, Any]:
    """The end of a job that divides the raw files among its instances."""
    source = {"S3Uri": "s3://raw/bigmart/", "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix"}
    return cloud.process_to_end(
        IMAGE,
        AppSpecification={"ImageUri": IMAGE, **({"ContainerArguments": list(arguments)} if arguments else {})},
        ProcessingInputs=[
            {
                "InputName": "raw",
                "S3Input": source | {"S3InputMode": "File", "S3DataDistributionType": "ShardedByS3Key"},
            }
        ],
        ProcessingOutputConfig={"Outputs": [describe_output(name) for name in OUTPUTS]},
        ProcessingResources={
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 10}
        },
    )


def describe_output(name: str) -> dict[str, Any]:
    place = {"S3Uri": f"s3://work/{name}", "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": place}


def join_parts(cloud: Cloud, name: str, kind: str) -> bytes:
    """What all files of one kind have, in the order of their names."""
    keys = [key for key in cloud.s3.keys("work") if key.startswith(f"{name}/") and key.endswith(kind)]
    return b"".join(cloud.s3.buckets["work"][key] for key in sorted(keys))


@pytest.mark.slow
def test_makes_on_four_instances_what_one_makes_of_all_files(cloud: Cloud, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    put_files(cloud, write_files(alone))
    assert main([], alone, Outputs()) == 0

    job = preprocess(cloud, 4)

    assert job["ProcessingJobStatus"] == "Completed", job
    written = alone / "processing"
    for name in ("train", "test"):
        for kind in ("_features.csv", "_labels.csv"):
            assert join_parts(cloud, name, kind) == (written / name / f"{name}{kind}").read_bytes()
    for file in ("encoding.json", "inputs.json", "profile.json"):
        assert cloud.s3.buckets["work"][f"encoding/{file}"] == (written / "encoding" / file).read_bytes()
    train = [key for key in cloud.s3.keys("work") if key.startswith("train/")]
    assert f"train/train-00002-of-0000{FILES}_features.csv" in train
    assert f"train/train-00004-of-0000{FILES}_features.csv" not in train


@pytest.mark.slow
def test_divides_one_file_among_more_instances_than_there_are_files(cloud: Cloud, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    put_files(cloud, write_sales(alone, make_sales(40)).parent)
    assert main([], alone, Outputs()) == 0

    job = preprocess(cloud, 2)

    assert job["ProcessingJobStatus"] == "Completed", job
    expected = (alone / "processing/train/train_features.csv").read_bytes()
    assert join_parts(cloud, "train", "_features.csv") == expected


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_ends_all_with_the_mistake_that_one_has_found(cloud: Cloud, tmp_path: Path, number: int) -> None:
    folder = write_files(tmp_path)
    path = folder / f"part {number}.csv"
    path.write_text(path.read_text().replace(",", ";"))
    put_files(cloud, folder)

    job = preprocess(cloud, 2)

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == (
        f"part {number}.csv: the fields are separated by semicolons; save the file with commas between them"
    )
    assert not cloud.s3.keys("work")


@pytest.mark.slow
def test_refuses_layouts_that_are_one_file(cloud: Cloud, tmp_path: Path) -> None:
    put_files(cloud, write_files(tmp_path))

    job = preprocess(cloud, 2, "--layout", "label-first")

    assert job["ExitMessage"] == (
        "--layout: label-first, but only separate is written by several instances; set the job's instance count to 1"
    )
