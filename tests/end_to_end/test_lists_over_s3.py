"""Lists and manifests are made of and checked against objects that are there."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headrace.cli import cli
from tests.end_to_end.conftest import Platform

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def images(platform: Platform) -> str:
    """The prefix of two classes of images."""
    s3: Any = platform.client("s3")
    bucket = f"images-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    for key in [*(f"ant/{number}.jpg" for number in range(6)), "bee/é 1+%.jpg", "bee/2.png", "bee/notes.txt"]:
        s3.put_object(Bucket=bucket, Key=f"photographs/{key}", Body=b"photograph")
    return f"s3://{bucket}/photographs/"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_makes_lists_of_a_prefix(images: str, tmp_path: Path) -> None:
    parts = [tmp_path / "train.lst", tmp_path / "validation.lst"]

    answer = invoke("lst", "make", images, "--train", parts[0], "--validation", parts[1])

    assert (answer.exit_code, answer.stdout) == (0, "ant\nbee\n")
    rows = [row.split("\t") for part in parts for row in part.read_text(encoding="utf-8").splitlines()]
    assert {(label, path) for _, label, path in rows} == {
        *(("0", f"ant/{number}.jpg") for number in range(6)),
        ("1", "bee/é 1+%.jpg"),
        ("1", "bee/2.png"),
    }


def test_finds_the_references_of_a_manifest_that_lead_nowhere(images: str, tmp_path: Path) -> None:
    manifest = tmp_path / "all.manifest"
    names = ("ant/1.jpg", "bee/é 1+%.jpg", "cow/1.jpg")
    manifest.write_text("".join(f'{{"source-ref":"{images}{name}"}}\n' for name in names), encoding="utf-8")

    answer = invoke("manifest", "check", manifest, "--objects")

    assert answer.exit_code == 1
    (problem,) = (line for line in answer.stdout.splitlines() if "is not there" in line)
    assert f"line 3: source-ref: {images}cow/1.jpg is not there" in problem
