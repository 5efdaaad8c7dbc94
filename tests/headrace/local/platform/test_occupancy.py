"""One command at a time uses a folder's local cloud."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local.platform.occupancy import OccupiedError, occupy

HOLDER = (
    "import sys; from pathlib import Path; from headrace.local.platform.occupancy import occupy;"
    "sys.argv = ['/bin/headrace', 'local', 'run', '--data', 'my sales.csv'];"
    "claim = occupy(Path({folder!r})); claim.__enter__(); print('there', flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    """Another process that uses the folder."""
    command = [sys.executable, "-c", HOLDER.format(folder=str(tmp_path))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "there\n"
        yield process


def test_names_the_command_that_uses_the_folder(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    with pytest.raises(OccupiedError) as refused, occupy(tmp_path):
        pass
    holder.communicate()

    command = "headrace local run --data 'my sales.csv'"
    assert str(refused.value) == f"'{command}', process {holder.pid}, uses {tmp_path}"


def test_is_free_again_when_the_other_was_killed(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    holder.communicate()

    with occupy(tmp_path):
        pass


def test_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with occupy(tmp_path / "new"):
            pass
