"""A new account that may use one instance to train and one to serve, and has ten requests at once to all functions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headrace.images import NormalizedImageReader, find_address, read_normalized_images
from headrace.local.engine import cloud as local_cloud
from headrace.local.platform.deployment import read_deployment
from headrace.loopback import find_free_port
from headrace.quotas import CONCURRENT_EXECUTIONS
from headrace.workloads import images as images_workload
from tests.end_to_end.conftest import CLASSES, PHOTOGRAPHS_PER_CLASS, Platform, make_folders
from tests.end_to_end.test_command import headrace_local
from tests.end_to_end.test_images import run_images
from tests.local_clouds import clients_of

pytestmark = pytest.mark.slow

QUOTAS = {
    "* for training job usage": 1,
    "* for spot training job usage": 1,
    "* for processing job usage": 0,
    "* for endpoint usage": 1,
    CONCURRENT_EXECUTIONS: 10,
}


@dataclass(frozen=True)
class Account:
    """The folder of a local cloud with quotas, and the platform of `dev` on it."""

    folder: Path
    platform: Platform


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """What `headrace local up --quotas FILE` leaves running."""
    folder = make_folders(tmp_path_factory.mktemp("small") / "local").base
    quotas = folder.parent / "quotas.json"
    quotas.write_text(json.dumps(QUOTAS))
    up = headrace_local(folder, "up", "--port", str(find_free_port()), "--quotas", str(quotas))
    assert up.returncode == 0, up.stderr
    cloud = local_cloud.find(folder / "cloud")
    assert cloud
    with clients_of(cloud):
        yield Account(folder, Platform(cloud, read_deployment("dev")))
    headrace_local(folder, "down")


def test_loses_no_photograph_where_ten_requests_at_once_are_all_there_is(
    account: Account, made_up_photographs: Path, tmp_path: Path
) -> None:
    run = run_images(account.platform, made_up_photographs, tmp_path)

    finished = [line for line in run.log if line.startswith("photographs_read ")]
    read = {line.split()[1]: int(line.rpartition(" photographs=")[2].removesuffix(" bad=0")) for line in finished}
    assert sum(read.values()) == CLASSES * PHOTOGRAPHS_PER_CLASS


def test_reads_every_photograph_with_far_more_connections_than_are_admitted(
    account: Account, made_up_photographs: Path, tmp_path: Path
) -> None:
    images_workload.Run(made_up_photographs, tmp_path).bring_data(account.platform.site)
    reader = NormalizedImageReader(find_address(), {"width": 8, "height": 8}, connections=32)
    pages = (
        account.platform.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=account.platform.deployment.raw_bucket, Prefix="images/")
    )
    keys = [item["Key"] for page in pages for item in page["Contents"] if item["Key"].endswith((".jpg", ".png"))]

    read = [image.key for image in read_normalized_images(((key, 0) for key in keys), reader)]

    assert read == keys
    assert len(keys) >= CLASSES * PHOTOGRAPHS_PER_CLASS


def test_says_at_once_which_quota_of_0_to_have_raised(account: Account) -> None:
    execution = account.platform.run()

    assert (execution["status"], execution["error"]) == ("FAILED", "QuotaTooSmall")
    assert "'ml.m5.xlarge for processing job usage' is 0 Instances" in execution["cause"]
    assert "Request an increase of this quota" in execution["cause"]
    assert account.platform.visited_states(execution["executionArn"]).count("Preprocess") == 1


def test_joins_no_cloud_with_other_quotas(account: Account) -> None:
    done = headrace_local(account.folder, "run", "--quotas", "new-account")

    assert (done.returncode, done.stdout) == (1, "")
    assert "is running with other quotas or another Region; stop it with 'headrace local down'" in done.stderr
