"""`headrace changes` as a program, on folders of templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.headrace.cli.programs import PROJECT, ForkServer

BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """What stands: a bucket; what is wanted: the same and a queue."""
    for name, resources in {"old": {"Raw": BUCKET}, "new": {"Raw": BUCKET, "Jobs": QUEUE}}.items():
        write(tmp_path / name, resources)
    return tmp_path / "old", tmp_path / "new"


def write(folder: Path, resources: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "app-storage.json").write_text(json.dumps({"Resources": resources}))


def test_ends_with_0_when_nothing_is_lost(headrace: ForkServer, folders: tuple[Path, Path]) -> None:
    done = headrace.run("changes", *folders, cwd=PROJECT)

    assert done.code == 0
    assert done.stdout.splitlines() == [
        "Nothing is replaced, deleted with what it holds, or left over.",
        "In this order:",
        "  cdk deploy --all",
    ]


def test_ends_with_1_and_says_what_is_left_behind(headrace: ForkServer, folders: tuple[Path, Path]) -> None:
    old, new = folders
    write(new, {"Jobs": QUEUE})

    done = headrace.run("changes", old, new, cwd=PROJECT)

    assert done.code == 1
    assert "app-storage/Raw (AWS::S3::Bucket): stays behind without a stack" in done.stdout


def test_gives_programs_the_same_as_json(headrace: ForkServer, folders: tuple[Path, Path]) -> None:
    old, new = folders
    write(new, {"Jobs": QUEUE})

    done = headrace.run("changes", old, new, "--json", cwd=PROJECT)

    report = json.loads(done.stdout)
    assert (done.code, report["dangerous"], report["commands"]) == (1, True, ["cdk deploy --all"])
    assert [(found["effect"], found["resource"]) for found in report["findings"]] == [("left behind", "Raw")]


def test_names_a_folder_that_holds_no_templates(
    headrace: ForkServer, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()

    done = headrace.run("changes", tmp_path / "empty", folders[1], cwd=PROJECT)

    assert done.code == 1
    assert "holds neither an assembly of CDK nor templates" in done.stderr
