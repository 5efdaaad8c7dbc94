"""A new account that may use one instance to train and one to serve, and has ten requests at once to all functions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.images import NormalizedImageReader, find_address, read_normalized_images
from headrace.local.limits import Limits
from headrace.quotas import CONCURRENT_EXECUTIONS
from headrace.workloads import images as images_workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import CLASSES, PHOTOGRAPHS_PER_CLASS, Platform, configure_dev
from tests.end_to_end.test_images import run_images
from tests.local_clouds import clients_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

QUOTAS = {
    "* for training job usage": 1,
    "* for spot training job usage": 1,
    "* for processing job usage": 0,
    "* for endpoint usage": 1,
    CONCURRENT_EXECUTIONS: 10,
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform of `dev` in an account with these quotas."""
    root, app = tmp_path_factory.mktemp("small"), assemble(configure_dev())
    with running_with_app(root, app, Limits(QUOTAS)) as cloud, clients_of(cloud):
        yield Platform(cloud, push_container_images(cloud, "dev"))


def test_loses_no_photograph_where_ten_requests_at_once_are_all_there_is(
    account: Platform, made_up_photographs: Path, tmp_path: Path
) -> None:
    run = run_images(account, made_up_photographs, tmp_path)

    finished = [line for line in run.log if line.startswith("photographs_read ")]
    read = {line.split()[1]: int(line.rpartition(" photographs=")[2].removesuffix(" bad=0")) for line in finished}
    assert sum(read.values()) == CLASSES * PHOTOGRAPHS_PER_CLASS


def test_reads_every_photograph_with_far_more_connections_than_are_admitted(
    account: Platform, made_up_photographs: Path, tmp_path: Path
) -> None:
    images_workload.Run(made_up_photographs, tmp_path).bring_data(account.site)
    reader = NormalizedImageReader(find_address(), {"width": 8, "height": 8}, connections=32)
    pages = (
        account.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=account.deployment.raw_bucket, Prefix="images/")
    )
    keys = [item["Key"] for page in pages for item in page["Contents"] if item["Key"].endswith((".jpg", ".png"))]

    read = [image.key for image in read_normalized_images(((key, 0) for key in keys), reader)]

    assert read == keys
    assert len(keys) >= CLASSES * PHOTOGRAPHS_PER_CLASS


def test_says_at_once_which_quota_of_0_to_have_raised(account: Platform) -> None:
    execution = account.run()

    assert (execution["status"], execution["error"]) == ("FAILED", "QuotaTooSmall")
    assert "'ml.m5.xlarge for processing job usage' is 0 Instances" in execution["cause"]
    assert "Request an increase of this quota" in execution["cause"]
    assert account.visited_states(execution["executionArn"]).count("Preprocess") == 1
