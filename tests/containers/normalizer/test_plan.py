"""Photographs are divided among the files of a packed set."""

import io

import pytest

from containers.normalizer import plan
from containers.normalizer.arguments import parse_job
from containers.normalizer.failures import SourceError
from containers.normalizer.normalized_images import Photograph
from containers.normalizer.plan import Plan, count_shards
from headrace.s3.addresses import S3Address
from tests.containers.normalizer.jobs import DESTINATION, SOURCE


def make_plan(*paths: str) -> Plan:
    job = parse_job([*SOURCE, *DESTINATION, "--packed"])
    return Plan(job, [Photograph(S3Address("raw", f"images/{path}"), path, '"1"') for path in paths], io.BytesIO())


def test_refuses_a_photograph_without_a_class() -> None:
    with pytest.raises(SourceError, match=r"s3://raw/images/9\.jpg lies in no folder of s3://raw/images/"):
        make_plan("ball/1.jpg", "9.jpg")


def test_refuses_a_folder_whose_name_no_class_can_have() -> None:
    with pytest.raises(SourceError, match=r"as the name of a class it .* has characters that cannot be printed"):
        make_plan("\x1b[2J/9.jpg")


def test_refuses_more_photographs_than_a_packed_set_has_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_RECORDS", 1)

    with pytest.raises(SourceError, match=r"s3://raw/images/: 2 photographs are too many for a packed set"):
        make_plan("ball/1.jpg", "ball/2.jpg")


@pytest.mark.parametrize(
    ("records", "expected"), [(0, 0), (1, 1), (127, 1), (128, 2), (4_097, 64), (12_800, 64), (12_801, 65)], ids=str
)
def test_divides_small_sets_too_but_not_into_less_than_a_block(
    records: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SHARD_BYTES", 200)

    assert count_shards(records, (1, 1, 1)) == expected
