"""The program as processes: two instances that teach one network, and one that is killed as it learns."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.shared.sagemaker import STOPPED_EXIT
from headrace.local.sagemaker import Patience, RunnableContainerImage
from tests.conftest import PROJECT
from tests.containers.resnet.networks import HYPERPARAMETERS, write_packed_job
from tests.headrace.local.sagemaker.cloud import Cloud, s3_channel
from tests.headrace.local.sagemaker.kinds.test_training_jobs import read_members
from tests.patience import PATIENCE_SECONDS
from tests.torch_packages import require_torch

pytestmark = pytest.mark.slow
HOSTS = ("algo-1", "algo-2")
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/resnet:1"
SAVING = {"HEADRACE_CHECKPOINT_SECONDS": "0"}
CHECKPOINTS = "checkpoints/"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    environment = {"PYTHONPATH": str(require_torch()), "OMP_NUM_THREADS": "1"}
    cloud = Cloud(tmp_path / "cloud", Patience(job_stop_seconds=10, close_seconds=0.5))
    cloud.registry.images[IMAGE] = RunnableContainerImage(
        entrypoint=(sys.executable, "-m", "containers.resnet"), working_directory=PROJECT, environment=environment
    )
    write_packed_job(tmp_path / "job")
    for path in (tmp_path / "job").glob("*_packed/*"):
        cloud.s3.put("raw", f"{path.parent.name}/{path.name}", path.read_bytes())
    yield cloud
    cloud.sagemaker.close()


def request() -> dict[str, Any]:
    return {
        "HyperParameters": {**HYPERPARAMETERS, "epochs": "1", "mini_batch_size": "4", "augmentation_type": "crop"},
        "InputDataConfig": [
            s3_channel(f"s3://raw/{name}_packed/", name, ContentType="application/x-headrace-packed")
            for name in ("train", "validation")
        ],
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10},
        "CheckpointConfig": {"S3Uri": f"s3://work/{CHECKPOINTS}"},
        "Environment": SAVING,
    }


def read_model(cloud: Cloud, job: str) -> bytes:
    members = read_members(cloud.s3.buckets["work"][f"models/{job}/output/model.tar.gz"])
    assert sorted(members) == ["classes.json", "model.onnx", "network.npz"]
    return members["model.onnx"]


def read_logs(cloud: Cloud, job: str) -> dict[str, str]:
    """What each instance of a job has said."""
    return {
        stream.partition("/")[2].rpartition("-")[0]: "\n".join(event["message"] for event in events)
        for (_, stream), events in cloud.logs.streams.items()
        if stream.startswith(f"{job}/")
    }


def test_two_instances_of_the_local_sagemaker_teach_one_network_and_resume_it(cloud: Cloud) -> None:
    whole = cloud.train_to_end(IMAGE, "whole", **request())

    assert whole["TrainingJobStatus"] == "Completed", whole
    first, second = (read_logs(cloud, "whole")[host] for host in HOSTS)
    # Eight records a step, of eighteen.
    assert first.count("checkpoint_saved") == 3
    assert "Validation-accuracy" in first
    assert not re.findall(r"checkpoint_saved|Epoch\[", second)
    work = cloud.s3.buckets["work"]
    assert sorted(key for key in work if key.startswith(CHECKPOINTS)) == [
        f"{CHECKPOINTS}steps-000000.npz",
        f"{CHECKPOINTS}steps-000001.npz",
    ]

    # That of the third step; the other one is of the second.
    del work[f"{CHECKPOINTS}steps-000000.npz"]
    resumed = cloud.train_to_end(IMAGE, "resumed", **request())

    assert resumed["TrainingJobStatus"] == "Completed", resumed
    assert "checkpoint_resumed file=steps-000001.npz done=2" in read_logs(cloud, "resumed")["algo-1"]
    assert read_model(cloud, "resumed") == read_model(cloud, "whole")


def start(root: Path, **given: str) -> subprocess.Popen[str]:
    """The program over a root."""
    environment = {
        **os.environ,
        "HEADRACE_ML_ROOT": str(root),
        "PYTHONPATH": f"{PROJECT}:{require_torch()}",
        "OMP_NUM_THREADS": "1",
        **given,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "containers.resnet", "train"],
        env=environment,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def write_two(folder: Path, **given: str) -> str:
    """Lay out a job of two instances, each in the folder of its name, and return their addresses."""
    for host in HOSTS:
        write_packed_job(folder / host, *HOSTS, mini_batch_size="4", **given)
        resources = {"current_host": host, "hosts": HOSTS, "network_interface_name": "lo"}
        (folder / host / "input/config/resourceconfig.json").write_text(json.dumps(resources))
    network = f"127.{random.randint(2, 250)}.{random.randint(2, 250)}"  # noqa: S311 - not a secret
    return ",".join(f"{host}={network}.{place}" for place, host in enumerate(HOSTS, start=1))


def test_an_instance_says_when_its_neighbour_has_ended(tmp_path: Path) -> None:
    addresses = write_two(tmp_path)
    # It is as long as it should be, so only reading finds it.
    path = tmp_path / "algo-2/input/data/train/pixels-00000.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    running = [start(tmp_path / host, HEADRACE_HOSTS=addresses) for host in HOSTS]
    for process in running:
        process.communicate(timeout=PATIENCE_SECONDS)

    reasons = [(tmp_path / host / "output/failure").read_text() for host in HOSTS]
    assert reasons[0].startswith("algo-1 cannot train together with algo-2: one of them ended")
    assert "its pixels do not have their checksum" in reasons[1]


def await_text(process: subprocess.Popen[str], text: str) -> None:
    """Read what a process says up to a line with this text."""
    assert process.stdout
    assert any(text in line for line in process.stdout), f"it has ended without {text}"


def test_told_to_stop_two_instances_go_on_until_the_first_has_saved(tmp_path: Path) -> None:
    addresses = write_two(tmp_path, epochs="10000")
    # Longer than the test takes: only what is saved at the end is there.
    never = {"HEADRACE_CHECKPOINT_SECONDS": "86400"}

    first, second = (start(tmp_path / host, HEADRACE_HOSTS=addresses, **never) for host in HOSTS)
    await_text(first, "Epoch[0] Validation-accuracy")
    second.send_signal(signal.SIGTERM)
    for _ in range(3):
        await_text(first, "Validation-accuracy")
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=PATIENCE_SECONDS)
    second.communicate(timeout=PATIENCE_SECONDS)

    assert "checkpoint_saved file=steps-000000.npz" in said
    assert [first.returncode, second.returncode] == [STOPPED_EXIT, STOPPED_EXIT]


def test_killed_for_good_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    given = {"mini_batch_size": "2", "augmentation_type": "crop_color", "momentum": "0.9"}
    for name in ("whole", "killed"):
        write_packed_job(tmp_path / name, **given)
    killed_at = random.randrange(1, 12)  # noqa: S311 - chance, not a secret

    whole = start(tmp_path / "whole")
    killed = start(tmp_path / "killed", **SAVING)
    assert killed.stdout
    for line in killed.stdout:
        if re.search(rf"checkpoint_saved .* done={killed_at}\b", line):
            killed.send_signal(signal.SIGKILL)
            break
    killed.communicate(timeout=PATIENCE_SECONDS)
    again = start(tmp_path / "killed", **SAVING)
    said, _ = again.communicate(timeout=PATIENCE_SECONDS)
    whole.communicate(timeout=PATIENCE_SECONDS)

    assert (whole.returncode, killed.returncode, again.returncode) == (0, -signal.SIGKILL, 0)
    # It may have saved once more before it was killed.
    assert [int(done) >= killed_at for done in re.findall(r"checkpoint_resumed .* done=(\d+)", said)] == [True]
    models = {(tmp_path / name / "model/model.onnx").read_bytes() for name in ("whole", "killed")}
    assert len(models) == 1, f"killed after step {killed_at}"
