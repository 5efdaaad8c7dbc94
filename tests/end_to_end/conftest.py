"""One local cloud with the platform on it, for all tests of this folder."""

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.container_images import ContainerImageSource
from headrace.local.engine.credentials import AccessKey
from headrace.local.platform import pipeline
from headrace.local.platform.deployment import Deployment
from headrace.local.platform.running import Folders
from headrace.local.platform.site import LocalSite
from headrace.pipeline.causes import read_cause
from headrace.recipes import big_mart
from headrace.workloads import big_mart as big_mart_workload
from headrace.workloads import photographs
from headrace.workloads.sales import write_csv
from tests.deploying import push_container_images, running_with_app
from tests.local_clouds import clients_of
from tests.stacks.conftest import context_of, set_path
from tests.stacks.synthesis import assemble

ROWS = 1_500
# A forest that learns enough of so few rows, and is grown and exported in a moment.
SMALL_FOREST = {"n_estimators": 20}
# Each look costs a hundredth of a second of processor time.
LOOK_SECONDS = 0.2
CLASSES = 4
PHOTOGRAPHS_PER_CLASS = 12
# Hyperparameters of a residual network that learns in seconds, and nothing much.
QUICK_NETWORK = {
    "num_classes": CLASSES,
    "num_training_samples": CLASSES * PHOTOGRAPHS_PER_CLASS,
    "num_layers": 20,
    "image_shape": "3,12,12",
    "epochs": 1,
}


@cache
def make_client(service: str, endpoint_url: str, key: AccessKey) -> Any:
    """A stock client; tests ask for the same ones hundreds of times, and each takes longer to make than to answer."""
    return boto3.client(
        service, endpoint_url=endpoint_url, aws_access_key_id=key.key_id, aws_secret_access_key=key.secret
    )


def make_folders(base: Path) -> Folders:
    """Folders of their own, but for the containers' packages and the synthesized apps: those are the project's."""
    folders, shared = Folders(base), Folders()
    base.mkdir(exist_ok=True)
    for folder, kept in ((folders.environments, shared.environments), (folders.assemblies, shared.assemblies)):
        kept.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(kept)
    return folders


@dataclass(frozen=True)
class Platform:
    """A deployed platform and what a test does with it."""

    cloud: LocalCloud
    deployment: Deployment

    @property
    def site(self) -> LocalSite:
        """The platform as a run finds it."""
        return LocalSite(self.cloud, self.deployment)

    def client(self, service: str) -> Any:
        """A stock client of the local cloud."""
        return make_client(service, self.cloud.endpoint_url, self.cloud.key)

    def start(self, name: str | None = None, **names: str) -> str:
        """Start an execution; its ARN."""
        return pipeline.start_execution(self.deployment, big_mart.RECIPE, name or f"test-{uuid.uuid4().hex[:8]}", names)

    def run(self, name: str | None = None, **names: str) -> dict[str, Any]:
        """Run an execution to its end; its description."""
        return self.wait(self.start(name, **names))

    def wait(self, arn: str) -> dict[str, Any]:
        """An execution's description once it has ended."""
        states = self.client("stepfunctions")
        while (execution := dict(states.describe_execution(executionArn=arn)))["status"] == "RUNNING":
            time.sleep(LOOK_SECONDS)
        return execution | ({"cause": read_cause(execution["cause"])} if execution.get("cause") else {})

    def visited_states(self, execution_arn: str) -> list[str]:
        """The names of the states an execution went through."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        details = (event.get("stateEnteredEventDetails") for page in pages for event in page["events"])
        return [detail["name"] for detail in details if detail]

    def list_work(self, prefix: str) -> list[str]:
        """The keys below a prefix of the work bucket."""
        bucket = self.deployment.outputs["WorkBucketName"]
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [item["Key"].removeprefix(prefix) for item in found.get("Contents", [])]


@pytest.fixture(scope="session")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small made-up file of Big Mart sales."""
    path = tmp_path_factory.mktemp("data") / "sales.csv"
    write_csv(path, rows=ROWS)
    return path


def shuffle_sales(sales: Path, path: Path) -> Path:
    """The same items with the sales of others, from which nothing can be learnt."""
    header, *rows = (line.rpartition(",") for line in sales.read_text().splitlines())
    shuffled = [sold for *_, sold in rows]
    random.Random(1).shuffle(shuffled)  # noqa: S311
    lines = [header, *((item, comma, sold) for (item, comma, _), sold in zip(rows, shuffled, strict=True))]
    path.write_text("".join(f"{''.join(line)}\n" for line in lines))
    return path


@pytest.fixture(scope="session")
def made_up_photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few made-up photographs of each of some classes."""
    folder = tmp_path_factory.mktemp("data") / "photographs"
    photographs.make_photographs(folder, classes=CLASSES, per_class=PHOTOGRAPHS_PER_CLASS)
    return folder


def configure_dev(**settings: Any) -> dict[str, Any]:
    """The context of `dev` whose forests are small, and other settings of Big Mart."""
    context = context_of("dev")
    for name, value in {"training.hyperparameters": SMALL_FOREST, **settings}.items():
        set_path(context["environments"]["dev"], f"bigmart.{name}", value)
    return context


@contextmanager
def deployed_platform(root: Path, images: ContainerImageSource | None = None) -> Iterator[Platform]:
    """The platform of `dev` on a local cloud of its own; `clients_of` leads to it.

    Args:
        root: Where the cloud keeps its state.
        images: What makes the container images; by default, processes stand in for containers.
    """
    with running_with_app(root, assemble(configure_dev())) as cloud:
        with clients_of(cloud):
            deployment = push_container_images(cloud, "dev", images)
        yield Platform(cloud, deployment)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform of `dev`, which all tests share: each leaves it as it found it, but for what it named itself."""
    with deployed_platform(tmp_path_factory.mktemp("dev")) as platform:
        yield platform


@pytest.fixture(scope="module", autouse=True)
def clients_of_platform(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lead this process's clients to the platform while tests of a module that use it run, and no longer."""
    module = request.node
    tests = (item for item in request.session.items if item.getparent(pytest.Module) is module)
    if not any("platform" in getattr(test, "fixturenames", ()) for test in tests):
        yield
        return
    with clients_of(request.getfixturevalue("platform").cloud):
        yield


@pytest.fixture
def with_rows(platform: Platform) -> Callable[[Path], None]:
    """Puts a file into the raw bucket, and removes all others."""
    return lambda path: big_mart_workload.Run(path, path.parent).bring_data(platform.site)


@pytest.fixture(scope="session")
def first_execution(platform: Platform, sales: Path) -> dict[str, Any]:
    """An execution that made the endpoint `shop`."""
    with clients_of(platform.cloud):
        big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)
        execution = platform.run(EndpointName="shop")
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    return execution | {"output": json.loads(execution["output"])}
