"""Two instances that teach one network, as two processes with addresses of their own."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.containers.resnet.networks import write_packed_job
from tests.torch_packages import require_torch

pytestmark = pytest.mark.slow
HOSTS = ("algo-1", "algo-2")
PATIENCE_SECONDS = 240


def start(root: Path, host: str, network: str, **given: str) -> subprocess.Popen[str]:
    """The program of one instance."""
    config = root / host / "input/config/resourceconfig.json"
    config.write_text(json.dumps({"current_host": host, "hosts": HOSTS, "network_interface_name": "lo"}))
    addresses = ",".join(f"{name}={network}.{place}" for place, name in enumerate(HOSTS, start=1))
    environment = {
        **os.environ,
        "HEADRACE_ML_ROOT": str(root / host),
        "HEADRACE_HOSTS": addresses,
        "PYTHONPATH": f"{PROJECT}:{require_torch()}",
        "OMP_NUM_THREADS": "1",
        **given,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "containers.resnet", "train"],
        env=environment,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train_together(root: Path, **given: str) -> list[str]:
    """What both say, once both have ended well."""
    network = f"127.{random.randint(2, 250)}.{random.randint(2, 250)}"  # noqa: S311 - not a secret
    running = [start(root, host, network, **given) for host in HOSTS]
    said = [process.communicate(timeout=PATIENCE_SECONDS) for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    return [out for out, _ in said]


def test_two_instances_learn_one_network_and_take_it_up_again(tmp_path: Path) -> None:
    for host in HOSTS:
        write_packed_job(tmp_path / host, *HOSTS, epochs="1", mini_batch_size="4", augmentation_type="crop")

    first, second = train_together(tmp_path, HEADRACE_CHECKPOINT_SECONDS="0")

    # Eight records a step, of eighteen.
    assert len(re.findall(r"checkpoint_saved", first)) == 3
    assert "checkpoint_saved" not in second
    assert re.findall(r"Validation-accuracy", first)
    assert not re.findall(r"Epoch\[", second)
    model = (tmp_path / "algo-1/model/model.onnx").read_bytes()
    assert not (tmp_path / "algo-2/model/model.onnx").exists()

    saved = sorted((tmp_path / "algo-1/checkpoints").iterdir())
    for part in saved[1:]:
        part.unlink()
    first, _ = train_together(tmp_path, HEADRACE_CHECKPOINT_SECONDS="0")

    assert "checkpoint_resumed file=steps-000000.npz" in first
    assert (tmp_path / "algo-1/model/model.onnx").read_bytes() == model


def test_an_instance_says_when_its_neighbour_has_ended(tmp_path: Path) -> None:
    for host in HOSTS:
        write_packed_job(tmp_path / host, *HOSTS, mini_batch_size="4")
    # It is as long as it should be, so only reading finds it.
    path = tmp_path / "algo-2/input/data/train/pixels-00000.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    network = f"127.{random.randint(2, 250)}.{random.randint(2, 250)}"  # noqa: S311 - not a secret

    running = [start(tmp_path, host, network) for host in HOSTS]
    for process in running:
        process.communicate(timeout=PATIENCE_SECONDS)

    reasons = [(tmp_path / host / "output/failure").read_text() for host in HOSTS]
    assert reasons[0].startswith("algo-1 cannot train together with algo-2: one of them ended")
    assert "its pixels do not have their checksum" in reasons[1]
