"""The pipeline with containers of an engine instead of processes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.container_images.engine import Engine, EngineError
from headrace.contract import JOB_NAME_INPUT
from headrace.local.engine.container_images import EngineContainerImages
from headrace.local.platform import inspection, pipeline
from headrace.normalizer.normalize import normalize
from headrace.recipes import images, list_usual_container_images
from headrace.workloads import big_mart as big_mart_workload
from headrace.workloads import images as images_workload
from headrace.workloads.workload import Answers
from tests.end_to_end.conftest import CLASSES, Platform, deployed_platform
from tests.end_to_end.test_bulk_normalizing import SMALL, SMALL_INPUT, BatchDoor, make_image
from tests.end_to_end.test_pipeline import wait_for_state
from tests.engines import engine_alone, give_up, read_build_settings
from tests.local_clouds import clients_of

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engine_alone() as engine:
        yield engine


@pytest.fixture(scope="module")
def contained(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform on a local cloud that runs containers."""
    images = EngineContainerImages(engine, read_build_settings())
    try:
        images.prepare(list_usual_container_images())
    except EngineError as error:
        give_up(str(error))
    with deployed_platform(tmp_path_factory.mktemp("contained"), images) as contained:
        yield contained


def run_once(platform: Platform, sales: Path) -> tuple[dict[str, Any], Answers]:
    """The metrics of an execution and what its endpoint then predicts."""
    run = big_mart_workload.Run(sales, sales.parent)
    with clients_of(platform.cloud):
        run.bring_data(platform.site)
        execution = platform.run(EndpointName="compared")
        assert execution["status"] == "SUCCEEDED", execution.get("cause")
        metrics: dict[str, Any] = json.loads(execution["output"])["Metrics"]
        return metrics, run.ask_endpoint(platform.site, "compared")


def list_containers(engine: Engine) -> set[str]:
    return set(engine.call("listing", ["ps", "--all", "--quiet"]).split())


def test_ends_with_the_scores_and_predictions_of_processes(
    platform: Platform, contained: Platform, sales: Path
) -> None:
    assert run_once(contained, sales) == run_once(platform, sales)


def test_normalizes_with_processes(contained: Platform) -> None:
    with clients_of(contained.cloud):
        door = BatchDoor(contained, contained.client("s3"), {"images/few/a.jpg": make_image(1)})
        door.put(door.images)

        output = door.run(Name="contained", Source="images/few/", Options=SMALL_INPUT)

        assert output["Report"].endswith("1 photographs: 1 made, 0 kept, 0 refused, 0 unavailable")
        assert door.read("contained", "normalized/a.jpg") == normalize(make_image(1), SMALL)


def test_reads_photographs_through_the_normalizer(
    contained: Platform, made_up_photographs: Path, tmp_path: Path
) -> None:
    with clients_of(contained.cloud):
        images_workload.Run(made_up_photographs, tmp_path).bring_data(contained.site)
        arn = pipeline.start_execution(contained.deployment, images.RECIPE, "photographs", {})
        report = pipeline.follow_execution(arn, lambda _: None)
        log = list(inspection.read_log("training", report.output[JOB_NAME_INPUT]))

    assert report.output["Metrics"]["validation:accuracy"] > 2 / CLASSES
    assert len([line for line in log if 'source="the normalizer\'s function URL"' in line]) == 2


def test_leaves_no_container_behind_when_a_job_is_stopped(engine: Engine, contained: Platform, sales: Path) -> None:
    before = list_containers(engine)
    with clients_of(contained.cloud):
        big_mart_workload.Run(sales, sales.parent).bring_data(contained.site)
        arn = contained.start("contained-and-stopped")
        wait_for_state(arn, "Train")

    contained.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")

    sagemaker = contained.client("sagemaker")
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.config.delay = 0.1
    waiter.wait(TrainingJobName="contained-and-stopped")
    job = sagemaker.describe_training_job(TrainingJobName="contained-and-stopped")
    # On a busy machine it may have ended before it was stopped.
    assert job["TrainingJobStatus"] in {"Stopped", "Completed"}
    assert list_containers(engine) == before
