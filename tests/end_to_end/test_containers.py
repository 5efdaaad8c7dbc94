"""The pipeline with containers of an engine instead of processes."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from headrace.container_images.engine import Engine, EngineError
from headrace.contract import JOB_NAME_INPUT
from headrace.local.engine.container_images import (
    ContainerImageSource,
    EngineContainerImages,
    ProcessContainerImages,
)
from headrace.local.platform import inspection, pipeline
from headrace.local.platform.running import Folders
from headrace.local.platform.site import LocalSite
from headrace.normalizer.normalize import normalize
from headrace.recipes import ContainerImage, images, linear_learner, list_usual_container_images
from headrace.workloads import big_mart as big_mart_workload
from headrace.workloads import images as images_workload
from headrace.workloads import linear_learner as linear_learner_workload
from headrace.workloads.tables import TableRun
from headrace.workloads.workload import Answers
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import CLASSES, Platform, configure_dev
from tests.end_to_end.test_bulk_normalizing import SMALL, SMALL_INPUT, BatchDoor, make_image
from tests.end_to_end.test_pipeline import wait_for_state
from tests.engines import SMALL_IMAGES, engine_alone, give_up, read_build_settings
from tests.examples import IS_EXHAUSTIVE, only_exhaustive
from tests.local_clouds import clients_of
from tests.stacks.conftest import set_path
from tests.stacks.synthesis import assemble

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(600)]

CONTAINED = (*list_usual_container_images(), linear_learner.IMAGE) if IS_EXHAUSTIVE else SMALL_IMAGES
COMPARED = (linear_learner_workload.Run, big_mart_workload.Run) if IS_EXHAUSTIVE else (linear_learner_workload.Run,)


class Chosen:
    """The container images that these tests run, and no others."""

    description = "make the container images that the tests run"

    def __init__(self, source: ContainerImageSource) -> None:
        self.source = source

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        self.source.prepare(container for container in containers if container in CONTAINED)

    def push(self, root: Path, images: Mapping[str, ContainerImage]) -> None:
        self.source.push(root, {uri: container for uri, container in images.items() if container in CONTAINED})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engine_alone() as engine:
        yield engine


@pytest.fixture(scope="module")
def containers(engine: Engine) -> Chosen:
    chosen = Chosen(EngineContainerImages(engine, read_build_settings()))
    try:
        chosen.prepare(CONTAINED)
    except EngineError as error:
        give_up(str(error))
    return chosen


@pytest.fixture(scope="module")
def contained(containers: Chosen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform on a local cloud that runs containers."""
    context = configure_dev()
    set_path(context["environments"]["dev"], "linearlearner", {})
    with running_with_app(tmp_path_factory.mktemp("contained"), assemble(context)) as cloud:
        with clients_of(cloud):
            deployment = push_container_images(cloud, "dev", containers)
        yield Platform(cloud, deployment)


def run_once(platform: Platform, run: TableRun, endpoint_name: str) -> tuple[Mapping[str, float], Answers]:
    """What the model of an execution was judged by, and what its endpoint then predicts."""
    run.bring_data(platform.site)
    names = {"EndpointName": endpoint_name}
    output = pipeline.follow_execution(
        pipeline.start_execution(platform.deployment, run.recipe, endpoint_name, names), lambda _: None
    ).output
    site = LocalSite(platform.cloud, platform.deployment, output[JOB_NAME_INPUT])
    scores = {name: value for name, value in output["Metrics"].items() if not name.startswith("train:")}
    return scores, run.ask_endpoint(site, endpoint_name)


def list_containers(engine: Engine) -> set[str]:
    return set(engine.call("listing", ["ps", "--all", "--quiet"]).split())


@pytest.mark.parametrize("workload", COMPARED)
def test_ends_with_the_scores_and_predictions_of_processes(
    engine: Engine, containers: Chosen, contained: Platform, sales: Path, workload: type[TableRun]
) -> None:
    run, before = workload(sales, sales.parent), list_containers(engine)
    with clients_of(contained.cloud):
        in_containers = run_once(contained, run, f"{run.recipe.name}-contained")
        serving = list_containers(engine) - before
        try:
            push_container_images(contained.cloud, "dev", Chosen(ProcessContainerImages(Folders().environments)))
            in_processes = run_once(contained, run, f"{run.recipe.name}-processed")
        finally:
            push_container_images(contained.cloud, "dev", containers)

    assert in_containers == in_processes
    assert len(serving) == len(list_containers(engine) - before) == 1


def test_normalizes_with_processes(contained: Platform) -> None:
    with clients_of(contained.cloud):
        door = BatchDoor(contained, contained.client("s3"), {"images/few/a.jpg": make_image(1)})
        door.put(door.images)

        output = door.run(Name="contained", Source="images/few/", Options=SMALL_INPUT)

        assert output["Report"].endswith("1 photographs: 1 made, 0 kept, 0 refused, 0 unavailable")
        assert door.read("contained", "normalized/a.jpg") == normalize(make_image(1), SMALL)


@only_exhaustive("a job in a container that reaches the local cloud, which the normalizer is here")
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
        linear_learner_workload.Run(sales, sales.parent).bring_data(contained.site)
        arn = pipeline.start_execution(contained.deployment, linear_learner.RECIPE, "contained-and-stopped", {})
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
