"""The image workload on the templates of prod: channels from S3, EFS and FSx for Lustre in one job."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from millrace import pictures
from tests.conftest import REAL_DATA
from tests.end_to_end.conftest import find_free_port, make_folders

pytestmark = pytest.mark.slow

CLASSES = 4


def run_images(tmp_path: Path, environment: str, data: Path) -> dict[str, Any]:
    """What `millrace local run` of the image workload tells."""
    folder = make_folders(tmp_path / "local").base
    command = [sys.executable, "-m", "millrace", "local", "--folder", str(folder), "run", "--workload", "images"]
    options = ["--env", environment, "--port", str(find_free_port()), "--data", str(data), "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="session")
def made_up_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "pictures"
    pictures.make_pictures(folder, classes=CLASSES, per_class=12)
    return folder


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_learns_from_channels_wherever_they_come_from(environment: str, tmp_path: Path, made_up_pictures: Path) -> None:
    metrics = run_images(tmp_path, environment, made_up_pictures)["report"]["output"]["Metrics"]

    assert metrics["validation:accuracy"] > 2 / CLASSES


def test_answers_a_picture_with_its_class(tmp_path: Path, made_up_pictures: Path) -> None:
    predictions = run_images(tmp_path, "prod", made_up_pictures)["predictions"]

    right = [p for p in predictions if p["predicted"].split(" ")[0] == p["actual"]]
    assert len(right) > len(predictions) / 2


def test_classifies_real_photographs_well_above_chance(tmp_path: Path) -> None:
    data = REAL_DATA / "images" / "classes"
    if not data.exists():
        pytest.skip(f"the photographs are not at {data}: their licence keeps them out of the project")

    told = run_images(tmp_path, "prod", data)

    chance = 1 / len(list(data.iterdir()))
    assert told["report"]["output"]["Metrics"]["validation:accuracy"] > 5 * chance
