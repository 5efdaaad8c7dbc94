import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.local.sagemaker.launching import LAUNCHER
from headrace.local.sagemaker.read_only import Protection, find_protection


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(LAUNCHER), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_becomes_the_program_with_its_arguments_and_exit_code() -> None:
    answer = launch("obey-permissions", "--", "/bin/sh", "-c", 'echo "$@"; exit 7', "sh", "--", "a b")

    assert (answer.returncode, answer.stdout) == (7, "-- a b\n")


def test_says_that_a_program_is_missing() -> None:
    answer = launch("obey-permissions", "--", "/absent/program")

    assert answer.returncode == 127
    assert "the container's program /absent/program could not be started" in answer.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell of ignored signals")
def test_leaves_the_program_no_ignored_signals() -> None:
    answer = launch("obey-permissions", "--", "/bin/grep", "SigIgn", "/proc/self/status")

    # Python ignores these two for itself; others may be ignored by whoever started the tests.
    ignored = int(answer.stdout.split()[1], 16)
    assert [name for name in (signal.SIGPIPE, signal.SIGXFSZ) if ignored >> (name - 1) & 1] == []


@pytest.mark.skipif(find_protection() is not Protection.MOUNT, reason="this system allows no mounts")
def test_does_not_start_the_program_when_a_folder_is_missing(tmp_path: Path) -> None:
    answer = launch("mount", str(tmp_path / "absent"), str(tmp_path), "--", "/bin/echo", "started")

    assert answer.stdout == ""
    assert "mount: No such file or directory" in answer.stderr


@pytest.mark.skipif(find_protection() is not Protection.MOUNT, reason="this system allows no mounts")
def test_keeps_the_user_that_it_runs_as(tmp_path: Path) -> None:
    answer = launch("mount", str(tmp_path), str(tmp_path), "--", "/usr/bin/id", "-u")

    assert answer.stdout.strip() == str(os.geteuid())
