"""What a user has put into the raw bucket stays there, and is trained on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.recipes import images
from headrace.workloads import big_mart as big_mart_workload
from headrace.workloads import images as images_workload
from headrace.workloads.delivery import ForeignDataError
from tests.end_to_end.conftest import Platform

pytestmark = pytest.mark.slow


@pytest.fixture
def raw(platform: Platform, sales: Path) -> Iterator[Any]:
    """The raw bucket, with what a run has brought and then with a user's own file, until the test ends."""
    big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)
    s3 = platform.client("s3")
    s3.put_object(Bucket=platform.deployment.raw_bucket, Key="bigmart/mine.csv", Body=sales.read_bytes())
    yield s3
    s3.delete_object(Bucket=platform.deployment.raw_bucket, Key="bigmart/mine.csv")


def list_rows(platform: Platform, s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket=platform.deployment.raw_bucket, Prefix="bigmart/")
    return [item["Key"].removeprefix("bigmart/") for item in found["Contents"]]


def list_keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def test_trains_on_what_the_user_has_put_there_when_no_file_is_given(
    platform: Platform, raw: Any, first_execution: dict[str, Any], tmp_path: Path
) -> None:
    run = big_mart_workload.Run(None, tmp_path)

    run.bring_data(platform.site)

    assert run.data == f"s3://{platform.deployment.raw_bucket}/bigmart/"
    assert "mine.csv" in list_rows(platform, raw)
    assert "made_up_sales.csv" not in list_rows(platform, raw)
    assert len(run.ask_endpoint(platform.site, "shop").predictions) == 5


def test_refuses_to_mix_a_given_file_with_what_the_user_has_put_there(
    platform: Platform, raw: Any, sales: Path
) -> None:
    with pytest.raises(
        ForeignDataError, match=r"/bigmart/ has mine\.csv, which 'headrace local run' did not put there"
    ):
        big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)

    assert list_rows(platform, raw) == ["mine.csv", sales.name]


def test_takes_away_only_what_runs_have_brought(platform: Platform, sales: Path, tmp_path: Path) -> None:
    s3 = platform.client("s3")
    s3.put_object(Bucket=platform.deployment.raw_bucket, Key="bigmart/notes.txt", Body=b"mine")
    other = tmp_path / "other.csv"
    other.write_bytes(sales.read_bytes())
    big_mart_workload.Run(other, tmp_path).bring_data(platform.site)

    big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)

    assert list_rows(platform, s3) == ["notes.txt", sales.name]
    s3.delete_object(Bucket=platform.deployment.raw_bucket, Key="bigmart/notes.txt")


def test_leaves_photographs_and_lists_of_the_user_alone(platform: Platform, tmp_path: Path) -> None:
    s3, bucket = platform.client("s3"), platform.deployment.raw_bucket
    mine = {"images/lists/train/mine.lst", "images/photographs/mine.jpg"}
    before = list_keys(s3, bucket, images.RECIPE.raw_prefix)
    for key in mine:
        s3.put_object(Bucket=bucket, Key=key, Body=b"0\t0\ta.jpg\n")
    run = images_workload.Run(None, tmp_path)

    run.bring_data(platform.site)

    after = list_keys(s3, bucket, images.RECIPE.raw_prefix)
    for key in mine:
        s3.delete_object(Bucket=bucket, Key=key)
    assert after == sorted({*before, *mine})
    assert f"s3://{bucket}/images/lists/train/" in run.data


def test_lists_images_in_ecr(platform: Platform) -> None:
    ecr = platform.client("ecr")

    for uri in platform.deployment.images:
        repository, tag = uri.partition("/")[2].split(":")
        listed = ecr.list_images(repositoryName=repository)["imageIds"]
        assert [image["imageTag"] for image in listed] == [tag], json.dumps(listed)
