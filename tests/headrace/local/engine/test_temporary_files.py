"""A local cloud keeps its temporary files below its own folder, and leaves none, however it ends."""

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from tests.headrace.local.engine.test_small_account import make_function
from tests.local_clouds import clients_of, find_free_port

pytestmark = pytest.mark.slow


def kill(cloud: LocalCloud) -> None:
    os.kill(cloud.pid, signal.SIGKILL)
    assert local_cloud.wait_until_stopped(cloud.root, local_cloud.STOP_SECONDS)
    cloud.stop()


def list_unpacked(folder: Path) -> list[Path]:
    return sorted(folder.glob("ministack-lambda-f-*"))


@pytest.mark.parametrize("end", [LocalCloud.stop, kill], ids=["stopped", "killed"])
def test_removes_what_its_functions_were_unpacked_into(tmp_path: Path, end: Callable[[LocalCloud], None]) -> None:
    kept = tmp_path / "temporary"
    kept.mkdir()
    (kept / "of-a-server-whose-machine-went-down").touch()
    outside = list_unpacked(Path(tempfile.gettempdir()))
    cloud = local_cloud.start(tmp_path, find_free_port(), stop_with_caller=True)

    with clients_of(cloud):
        make_function()
        boto3.client("lambda").invoke(FunctionName="f")
    during = list(kept.iterdir())
    end(cloud)

    assert [path.name.rpartition("-")[0] for path in during] == ["ministack-lambda-f"]
    assert not kept.exists()
    assert list_unpacked(Path(tempfile.gettempdir())) == outside
