"""What is different between two versions, from what was kept of how they were made."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.cli.version_report import describe_comparison, render_comparison
from headrace.pipeline.comparison import Comparison, compare_versions, find_better
from headrace.pipeline.records import RecordError, Records
from headrace.pipeline.versions import Registry
from headrace.provenance import InputFile, dump_inputs
from tests.headrace.local.sagemaker.cloud import Cloud, make_group, register
from tests.headrace.local.sagemaker.conftest import IMPATIENT
from tests.headrace.pipeline.registries import Clients, put

BEFORE_LIST = "0\t1\ta.jpg\n1\t1\tb.jpg\n2\t2\tc.jpg\n"
AFTER_LIST = "0\t1\ta.jpg\n1\t2\tb.jpg\n3\t2\td.jpg\n"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, IMPATIENT)
    make_group(cloud)
    monkeypatch.setattr(boto3, "client", Clients(cloud))
    yield cloud
    cloud.sagemaker.close()


def make_version(cloud: Cloud, number: int, **facts: str) -> None:
    """A version with these facts, and a place for its record."""
    image = cloud.push_image("pass", name=f"server{number}")
    properties = {"headrace:record": f"s3://work/executions/run-{number}/record/", **facts}
    register(cloud, image, CustomerMetadataProperties={name: value for name, value in properties.items() if value})


def put_record(cloud: Cloud, number: int, name: str, content: bytes | str) -> None:
    put(cloud, f"executions/run-{number}/record/{name}", content)


def put_inputs(cloud: Cloud, number: int, **channels: dict[str, str]) -> None:
    """A record of files, each with the digest of a text."""
    described = {
        name: [InputFile(key, f"{hash(text) & (1 << 60) - 1:064x}", len(text)) for key, text in files.items()]
        for name, files in channels.items()
    }
    put_record(cloud, number, "inputs.json", dump_inputs(described))


def compare(before: str = "1", after: str = "2") -> Comparison:
    registry = Registry("group")
    return compare_versions(registry.find(before), registry.find(after), Records())


def test_compares_the_files_of_each_channel(cloud: Cloud) -> None:
    for number in (1, 2):
        make_version(cloud, number)
    put_inputs(cloud, 1, train={"a": "1", "b": "1", "c": "1"}, same={"a": "1"}, gone={"x": "1"})
    put_inputs(cloud, 2, train={"a": "1", "b": "2", "d": "1"}, same={"a": "1"})

    channels = compare().channels

    assert channels
    assert {name: asdict(change) for name, change in channels.items()} == {
        "train": {"added": ("d",), "gone": ("c",), "changed": ("b",), "same": 1},
        "gone": {"added": (), "gone": ("x",), "changed": (), "same": 0},
    }


def test_compares_lists_by_class(cloud: Cloud) -> None:
    for number, rows in ((1, BEFORE_LIST), (2, AFTER_LIST)):
        make_version(cloud, number)
        put_inputs(cloud, number, train_lst={"train.lst": rows, "same.lst": "same"}, train={"m": "1"})
        put_record(cloud, number, "lists/train_lst/train.lst", rows)
        put_record(cloud, number, "lists/train_lst/same.lst", "not even a list")

    lists = compare().lists

    assert list(lists) == ["train_lst/train.lst"]
    assert {(row.change, row.label_before, row.label_after, row.rows) for row in lists["train_lst/train.lst"].rows} == {
        ("added", None, "2", 1),
        ("removed", "2", None, 1),
        ("relabelled", "1", "2", 1),
    }


@pytest.mark.parametrize("content", ["no list\n", b"\xff\xfe\x00"])
def test_says_why_lists_cannot_be_compared(cloud: Cloud, content: bytes | str) -> None:
    for number, rows in ((1, BEFORE_LIST), (2, content)):
        make_version(cloud, number)
        put_record(cloud, number, "lists/train/train.lst", rows)

    change = compare().lists["train/train.lst"]

    assert change.rows == ()
    assert change.problem
    assert "/tmp" not in change.problem


def test_compares_metrics_hyperparameters_and_programs(cloud: Cloud) -> None:
    shared = {"headrace:commit": "abc", "headrace:fingerprint": "f" * 64}
    make_version(cloud, 1, **shared, **{"metric:validation:rmse": "1100", "hyperparameter:trees": "100"})
    make_version(
        cloud,
        2,
        **(shared | {"headrace:commit": "def"}),
        **{"metric:validation:rmse": "1027.5", "metric:validation:r2": "0.6", "hyperparameter:trees": "500"},
    )

    found = compare()

    assert asdict(found.metrics["validation:rmse"]) == {"before": 1100.0, "after": 1027.5, "better": "after"}
    assert asdict(found.metrics["validation:r2"]) == {"before": None, "after": 0.6, "better": None}
    assert asdict(found.hyperparameters["trees"]) == {"before": "100", "after": "500"}
    assert asdict(found.facts["commit"]) == {"before": "abc", "after": "def"}
    assert "data" not in found.facts


@pytest.mark.parametrize(
    ("name", "before", "after", "better"),
    [
        ("validation:rmse", 1.0, 2.0, "before"),
        ("validation:accuracy", 0.5, 0.6, "after"),
        ("validation:accuracy", 0.5, 0.5, "equal"),
        ("baseline:rmse", 1.0, 2.0, None),
        ("validation:lift", 1.0, 2.0, None),
        ("validation:rmse", None, 2.0, None),
    ],
)
def test_says_which_metric_is_better(name: str, before: float | None, after: float | None, better: str | None) -> None:
    assert find_better(name, before, after) == better


def test_compares_confusion(cloud: Cloud) -> None:
    for number, confusion in ((1, [[2, 2], [0, 3]]), (2, [[4, 0], [1, 2]])):
        make_version(cloud, number)
        put_record(cloud, number, "evaluation.json", json.dumps({"labels": ["ball", "kite"], "confusion": confusion}))

    shown = render_comparison(compare())

    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in shown.splitlines()]
    assert [row for row in rows if row and row[0] in ("ball", "kite")] == [
        ["ball", "2 of 4; kite 2", "4 of 4", "+50.0%"],
        ["kite", "3 of 3", "2 of 3; ball 1", "-33.3%"],
    ]


def test_says_what_is_missing(cloud: Cloud) -> None:
    make_version(cloud, 1, **{"headrace:record": "", "headrace:job": "job"})
    make_version(cloud, 2)

    found = compare()

    assert found.notes == (
        "version 1 has no record of what it was made from",
        "the record of version 2 has no inputs.json",
    )
    assert found.channels is None
    assert json.loads(json.dumps(describe_comparison(found)))["channels"] is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("inputs.json", b"not JSON"),
        ("inputs.json", b"[" * 100_000),
        ("inputs.json", b'{"channels":{"a":[{"key":1}]},"fingerprint":"x"}\n'),
        ("evaluation.json", b"[" * 100_000),
        ("evaluation.json", b'{"confusion": 7}'),
        ("evaluation.json", b'{"labels": ["a"], "confusion": [["many"]]}'),
        ("evaluation.json", b'{"labels": [{}], "confusion": [[1]]}'),
        ("evaluation.json", b'{"labels": ["a", "b"], "confusion": [[1], [1]]}'),
        ("evaluation.json", b'{"labels": ["a"], "confusion": [[NaN]]}'),
    ],
)
def test_refuses_a_damaged_record(cloud: Cloud, name: str, content: bytes) -> None:
    for number in (1, 2):
        make_version(cloud, number)
    put_record(cloud, 2, name, content)

    with pytest.raises(RecordError, match=r"s3://work/executions/run-2/record/.*: .*(inputs|evaluation)\.json"):
        compare()


def test_refuses_a_record_that_is_larger_than_any(cloud: Cloud) -> None:
    for number in (1, 2):
        make_version(cloud, number)
    put_record(cloud, 1, "evaluation.json", b" " * ((16 << 20) + 1))

    with pytest.raises(RecordError, match=r"evaluation\.json is larger than 16 MiB"):
        compare()


def test_shows_hostile_names_on_one_line(cloud: Cloud) -> None:
    hostile: dict[str, Any] = {"a\x1b[2J\nb": "1"}
    for number, files in ((1, {}), (2, hostile)):
        make_version(cloud, number)
        put_inputs(cloud, number, train=files)

    shown = render_comparison(compare())

    assert "+ train/a\\x1b[2J\\nb" in shown
    assert "\x1b" not in shown


def test_says_where_there_is_no_difference(cloud: Cloud) -> None:
    make_version(cloud, 1)
    put_inputs(cloud, 1, train={"a": "1"})

    shown = render_comparison(compare("1", "1"))

    assert "the data are the same" in shown
    assert "the hyperparameters are the same" in shown
