"""The image workload: on dev, photographs through the normalizer; on prod, channels from S3, EFS and FSx in one job."""

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.contract import JOB_NAME_INPUT
from headrace.local.engine import cloud
from headrace.local.platform import inspection, pipeline
from headrace.local.platform.pipeline import ExecutionReport
from headrace.loopback import find_free_port
from headrace.recipes import images
from headrace.workloads import images as images_workload
from tests.conftest import REAL_DATA
from tests.end_to_end.conftest import CLASSES, PHOTOGRAPHS_PER_CLASS, Platform, make_folders
from tests.local_clouds import clients_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class ImageRun:
    """A run of the image workload, and what it left behind in the local cloud."""

    report: ExecutionReport
    job: dict[str, Any]
    log: list[str]
    answers: list[dict[str, Any]]

    @property
    def accuracy(self) -> float:
        return float(self.report.output["Metrics"]["validation:accuracy"])


def run_images(platform: Platform, data: Path, scratch: Path) -> ImageRun:
    """Train on photographs and serve what was learnt."""
    with clients_of(platform.cloud):
        run = images_workload.Run(data, scratch)
        run.bring_data(platform.site)
        arn = pipeline.start_execution(platform.deployment, images.RECIPE, f"images-{uuid.uuid4().hex[:8]}", {})
        report = pipeline.follow_execution(arn, lambda _: None)
        name = report.output[JOB_NAME_INPUT]
        job = boto3.client("sagemaker").describe_training_job(TrainingJobName=name)
        log = list(inspection.read_log("training", name))
        return ImageRun(report, job, log, list_answers())


@pytest.fixture(scope="module")
def told_by_prod(tmp_path_factory: pytest.TempPathFactory, made_up_photographs: Path) -> dict[str, Any]:
    """The summary of a run on the templates of prod, as programs read it; its cloud ends with it."""
    base = make_folders(tmp_path_factory.mktemp("prod") / "local").base
    command = [sys.executable, "-m", "headrace", "local", "--folder", str(base), "run", "--workload", "images"]
    options = ["--env", "prod", "--port", str(find_free_port()), "--data", str(made_up_photographs)]
    others = ["--endpoint-name", "classes", "--json"]
    done = subprocess.run([*command, *options, *others], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert cloud.find(base / "cloud") is None
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def run_on_dev(platform: Platform, made_up_photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> ImageRun:
    """A run on the templates of dev."""
    return run_images(platform, made_up_photographs, tmp_path_factory.mktemp("run"))


def list_answers() -> list[dict[str, Any]]:
    """What the normalizer's function logged of each request."""
    logs: Any = boto3.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    (group,) = (name for name in groups if "normalizerlogs" in name.lower())
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    messages = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(message) for message in messages if message.startswith("{")]


def test_learns_from_photographs_through_the_normalizer(run_on_dev: ImageRun) -> None:
    assert run_on_dev.accuracy > 2 / CLASSES


def test_gives_the_job_no_channel_of_photographs_but_the_normalizer(run_on_dev: ImageRun) -> None:
    assert [channel["ChannelName"] for channel in run_on_dev.job["InputDataConfig"]] == ["train_lst", "validation_lst"]
    assert "/lambda-url/" in run_on_dev.job["Environment"]["HEADRACE_IMAGES"]


def test_tells_in_the_jobs_log_how_many_photographs_came_through_which_door(run_on_dev: ImageRun) -> None:
    read = [line for line in run_on_dev.log if line.startswith("photographs_read ")]

    assert [line.split()[1] for line in read] == ["list=train.lst", "list=validation.lst"]
    assert all('source="the normalizer\'s function URL"' in line and line.endswith(" bad=0") for line in read)


def test_has_the_function_normalize_every_photograph(run_on_dev: ImageRun) -> None:
    made = [answer for answer in run_on_dev.answers if (answer["door"], answer["status"]) == ("function_url", 200)]

    assert len(made) >= CLASSES * PHOTOGRAPHS_PER_CLASS


def test_learns_from_channels_wherever_they_come_from(told_by_prod: dict[str, Any]) -> None:
    assert told_by_prod["report"]["output"]["Metrics"]["validation:accuracy"] > 2 / CLASSES


def test_shows_which_class_was_taken_for_which(told_by_prod: dict[str, Any]) -> None:
    classes, metrics = told_by_prod["classes"], told_by_prod["report"]["output"]["Metrics"]

    assert len(classes) == CLASSES
    examples, recognized = (sum(of_class[key] for of_class in classes) for key in ("examples", "recognized"))
    assert metrics["validation:recall"] == pytest.approx(recognized / examples, abs=1e-6)
    assert sum(sum(of_class["taken_for"].values()) for of_class in classes) == examples - recognized


def test_answers_a_photograph_with_its_class(told_by_prod: dict[str, Any]) -> None:
    predictions = told_by_prod["predictions"]

    assert told_by_prod["report"]["output"]["EndpointName"] == "classes"
    right = [p for p in predictions if p["predicted"].split(" ")[0] == p["actual"]]
    assert len(right) > len(predictions) / 2


def test_classifies_real_photographs_well_above_chance(platform: Platform, tmp_path: Path) -> None:
    data = REAL_DATA / "images" / "classes"
    if not data.exists():
        pytest.skip(f"the photographs are not at {data}: their licence keeps them out of the project")

    run = run_images(platform, data, tmp_path)

    chance = 1 / len(list(data.iterdir()))
    assert run.accuracy > 5 * chance
