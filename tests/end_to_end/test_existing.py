"""An environment on buckets, a key and repositories that were there before it, and that stay when it is gone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from click.testing import CliRunner

from headrace.assemblies import read_folder
from headrace.cli import cli
from headrace.deletion.standing import find_stacks
from headrace.grants import Account, list_grants
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.platform.stand_ins import make_stand_ins
from headrace.loopback import find_free_port
from headrace.recipes import list_usual_container_images
from headrace.workloads import big_mart as big_mart_workload
from tests.deploying import deploy, push_container_images
from tests.end_to_end.conftest import SMALL_FOREST, Platform
from tests.local_clouds import clients_of
from tests.stacks.conftest import SWITCHES
from tests.stacks.synthesis import assemble
from tests.stacks.transitions import configure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RAW: Final = SWITCHES["existing"]["storage.existing_raw_bucket"]
WORK: Final = SWITCHES["existing"]["storage.existing_work_bucket"]
PREFIX: Final = SWITCHES["existing"]["registry.existing"].partition("/")[2]


@pytest.fixture(scope="module")
def assembly() -> Path:
    return assemble(configure("dev", {**SWITCHES["existing"], "bigmart.training.hyperparameters": SMALL_FOREST}))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, assembly: Path) -> Iterator[Platform]:
    """`dev`, deployed to an account of a team that keeps these itself, and lets nothing but what it must."""
    cloud = local_cloud.start(tmp_path_factory.mktemp("existing"), find_free_port(), stop_with_caller=True)
    with clients_of(cloud):
        grants = list_grants(read_folder(assembly), Account(ACCOUNT, REGION))
        s3: Any = boto3.client("s3")
        make_stand_ins(assembly)
        for bucket in (RAW, WORK):
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(grants[f"arn:aws:s3:::{bucket}"]))
        deploy(assembly)
        yield Platform(cloud, push_container_images(cloud, "dev"))
    cloud.stop()


def list_objects() -> dict[str, list[str]]:
    s3: Any = boto3.client("s3")
    return {name: [each["Key"] for each in s3.list_objects_v2(Bucket=name)["Contents"]] for name in (RAW, WORK)}


def test_trains_and_serves_from_what_exists_and_leaves_it_when_it_is_torn_down(platform: Platform, sales: Path) -> None:
    big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)

    execution = platform.run()
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    before = list_objects()
    torn = CliRunner().invoke(cli, ["teardown", "--env", "dev", "--yes", "--delete-data", "*"])

    assert any(key.endswith("model.tar.gz") for key in before[WORK])
    assert (torn.exit_code, find_stacks("dev")) == (0, []), torn.output
    assert list_objects() == before
    repositories = boto3.client("ecr").describe_repositories()["repositories"]
    assert {each["repositoryName"] for each in repositories} == {
        f"{PREFIX}/{name}" for name in list_usual_container_images()
    }


def test_adopts_nothing_of_what_exists(platform: Platform, assembly: Path, tmp_path: Path) -> None:
    assert platform.deployment.raw_bucket == RAW

    found = CliRunner().invoke(cli, ["adopt", "--assembly", str(assembly), "--output", str(tmp_path), "--json"])

    assert json.loads(found.stdout)["found"] == {}
