"""A command or a server that is killed leaves nothing behind, and the next run works."""

import os
import random
import re
import signal
import sys
import time
from pathlib import Path

import boto3
import pexpect
import pytest

from headrace.local.engine import cloud
from headrace.local.engine.brought_container_images import bring_python
from tests.end_to_end.conftest import make_folders
from tests.end_to_end.test_interruption import STAGES, list_processes_of, start_run
from tests.examples import only_exhaustive
from tests.local_clouds import allow, clients_of, find_free_port, make_role
from tests.patience import wait_until

# How many runs to kill.
KILLS = int(os.environ.get("HEADRACE_KILLS", "6"))
PATIENCE_SECONDS = 300
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/waiting:1"
WAITING = "import pathlib, signal\npathlib.Path({begun!r}).touch()\nsignal.pause()\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(KILLS * 120 + 2 * PATIENCE_SECONDS)]


def wait_until_gone(folder: Path) -> bool:
    """Whether everything that knows of a folder has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while list_processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not list_processes_of(folder)


@only_exhaustive("test_interruption.py kills one run and starts another")
def test_runs_after_others_were_killed_at_any_moment(tmp_path: Path, sales: Path) -> None:
    chance = random.Random(KILLS)  # noqa: S311 (the same moments each time)
    port = find_free_port()
    folder = make_folders(tmp_path / "local").base
    for _ in range(KILLS):
        run = start_run(folder, port, sales)
        run.expect(re.escape(chance.choice(STAGES)), timeout=PATIENCE_SECONDS)
        # Somewhere in that stage or the next ones; how far it gets depends on the machine, and need not be known.
        time.sleep(chance.uniform(0, 2))
        run.kill(signal.SIGKILL)
        run.close()
        assert wait_until_gone(folder), list_processes_of(folder)

    last = start_run(folder, port, sales)
    last.expect(pexpect.EOF, timeout=PATIENCE_SECONDS)
    last.close()
    assert last.exitstatus == 0, last.before
    assert list_processes_of(folder) == []


def start_job(root: Path, folder: Path) -> None:
    """Start a training job that does not end by itself, and wait until its program runs."""
    begun = folder / "begun"
    program = folder / "waiting.py"
    program.write_text(WAITING.format(begun=str(begun)))
    bring_python(root, IMAGE, Path(sys.executable), program)
    boto3.client("s3").create_bucket(Bucket="models")
    boto3.client("sagemaker").create_training_job(
        TrainingJobName="endless",
        RoleArn=make_role("ml", allow("*")),
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    wait_until(begun.exists, "the job's program")


def test_a_killed_server_takes_its_jobs_with_it(tmp_path: Path) -> None:
    started = cloud.start(tmp_path / "cloud", find_free_port(), stop_with_caller=True)
    try:
        with clients_of(started):
            start_job(started.root, tmp_path)
        assert any("waiting.py" in command for command in list_processes_of(tmp_path))

        os.kill(started.pid, signal.SIGKILL)

        assert wait_until_gone(tmp_path), list_processes_of(tmp_path)
    finally:
        started.stop()
