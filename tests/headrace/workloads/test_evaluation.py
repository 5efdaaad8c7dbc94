"""What a run shows of a job's evaluation."""

import io
import json
import tarfile
from typing import Any

import pytest

from headrace.workloads.evaluation import ClassResult, list_class_results, unpack_evaluation


def pack(files: dict[str, str]) -> bytes:
    """A job's archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return archive.getvalue()


def test_finds_the_evaluation_in_the_jobs_archive() -> None:
    assert unpack_evaluation(pack({"plot.svg": "", "evaluation.json": json.dumps({"labels": ["ball"]})})) == {
        "labels": ["ball"]
    }


def test_takes_an_archive_without_one() -> None:
    assert unpack_evaluation(pack({"plot.svg": ""})) == {}


def test_counts_what_each_class_was_taken_for() -> None:
    evaluation = {"labels": ["ball", "cross", "kite"], "confusion": [[3, 0, 0], [1, 0, 2], [0, 0, 4]]}

    assert list_class_results(evaluation) == (
        ClassResult(label="ball", examples=3, recognized=3, taken_for={}),
        ClassResult(label="cross", examples=3, recognized=0, taken_for={"kite": 2, "ball": 1}),
        ClassResult(label="kite", examples=4, recognized=4, taken_for={}),
    )


@pytest.mark.parametrize("evaluation", [{}, {"metrics": {"validation:rmse": 1.0}}])
def test_has_no_classes_where_the_model_does_not_tell_any_apart(evaluation: dict[str, Any]) -> None:
    assert list_class_results(evaluation) == ()
