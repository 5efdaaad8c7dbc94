"""With a file system for each execution, none is left: after a good one, a failed one, and one that is stopped."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.inventory import usual_prices
from headrace.local.platform import pipeline
from headrace.local.platform.bill import read_bill
from headrace.local.platform.faults import CloudFaults
from headrace.recipes import images
from headrace.workloads import images as images_workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform
from tests.end_to_end.inventory import Notices
from tests.end_to_end.test_pipeline import wait_for_state
from tests.local_clouds import clients_of
from tests.patience import wait_until
from tests.stacks.conftest import context_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, made_up_photographs: Path) -> Iterator[Platform]:
    """A platform whose lists of photographs are read from a file system that each execution makes."""
    assembly, folder = assemble(context_of("fsx-per-run")), tmp_path_factory.mktemp("fsx")
    with running_with_app(folder / "cloud", assembly) as cloud, clients_of(cloud):
        found = Platform(cloud, push_container_images(cloud, "dev"))
        images_workload.Run(made_up_photographs, tmp_path_factory.mktemp("run")).bring_data(found.site)
        yield found


@pytest.fixture
def notices(platform: Platform) -> Iterator[Notices]:
    found = Notices(platform, "notices")
    yield found
    found.close()


def start(platform: Platform) -> str:
    return pipeline.start_execution(platform.deployment, images.RECIPE, f"images-{uuid.uuid4().hex[:8]}", {})


def list_file_systems(platform: Platform) -> dict[str, str]:
    """The state of each file system that there is, by its id."""
    found = platform.client("fsx").describe_file_systems()["FileSystems"]
    return {system["FileSystemId"]: system["Lifecycle"] for system in found}


def read_job(platform: Platform, name: str) -> dict[str, Any]:
    """Where the training job of an execution has its lists from."""
    job = platform.client("sagemaker").describe_training_job(TrainingJobName=name)
    source: dict[str, Any] = job["InputDataConfig"][-1]["DataSource"]["FileSystemDataSource"]
    return source


def test_leaves_none_after_a_failed_execution_and_after_the_redriven_one_that_goes_well(
    platform: Platform, notices: Notices
) -> None:
    CloudFaults(platform.cloud).add("job-fails", "sagemaker:CreateTrainingJob", times=1)
    arn = start(platform)
    failed = platform.wait(arn)
    left = set(list_file_systems(platform).values())
    (notice,) = notices.find(arn)

    platform.client("stepfunctions").redrive_execution(executionArn=arn)
    again = platform.wait(arn)

    assert (failed["status"], failed["error"], left - {"DELETING"}) == ("FAILED", "TrainFailed", set())
    first, second = (read_job(platform, failed["name"] + ending) for ending in ("", "-redrive1"))
    assert f"FileSystem {first['FileSystemId']}" in notice["Removed"]
    assert again["status"] == "SUCCEEDED", again.get("cause")
    assert second["FileSystemId"] != first["FileSystemId"]
    wait_until(lambda: list_file_systems(platform) == {}, "the end of the file systems")
    billed = [line for line in read_bill(platform.cloud, usual_prices()).lines if line.price == "fsx-scratch-gb-month"]
    assert f"file system {second['FileSystemId']}" in {line.thing for line in billed}


def test_leaves_none_after_an_execution_that_is_stopped(platform: Platform, notices: Notices) -> None:
    arn = start(platform)
    wait_for_state(arn, "Wait For File System")
    (made,) = [name for name, state in list_file_systems(platform).items() if state == "CREATING"]

    platform.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")

    (notice,) = notices.find(arn)
    assert (notice["Status"], notice["NotRemoved"]) == ("ABORTED", [])
    assert f"FileSystem {made}" in notice["Removed"]
    wait_until(lambda: list_file_systems(platform) == {}, "the end of the file system")
