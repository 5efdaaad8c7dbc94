import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from headrace.local.sagemaker.launcher_command import LAUNCHER, can_place, launch_with
from headrace.local.sagemaker.read_only import Protection, find_protection
from tests.headrace.local.sagemaker.cloud import is_running
from tests.headrace.local.sagemaker.test_read_only import AS_NOBODY, NOBODY, can_run_as_nobody
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow


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

    # Python ignores these two for itself; others may be ignored by the process that started the tests.
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


needs_place = pytest.mark.skipif(not can_place(), reason="this system allows no mounts")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="orphans are found in /proc")


def start_guarded(*words: str, script: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [*prefix, *launch_with(("guard", *words)), "/bin/sh", "-c", script]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )


def end_of(guarded: subprocess.Popen[str]) -> tuple[int, str]:
    """A guarded program's exit code and what it printed, when it has ended by itself."""
    assert guarded.stdin
    assert guarded.stdout
    with guarded.stdin, guarded.stdout:
        output = guarded.stdout.read()
        return guarded.wait(PATIENCE_SECONDS), output


def test_ends_with_the_exit_code_of_a_guarded_program() -> None:
    assert end_of(start_guarded(script="echo out; exit 7")) == (7, "out\n")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_ends_by_the_signal_that_ended_a_guarded_program(number: signal.Signals) -> None:
    assert end_of(start_guarded(script=f"kill -{number} $$")) == (-number, "")


def test_waits_for_a_guarded_program_where_nobody_waits_for_children() -> None:
    ignore = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )

    assert end_of(start_guarded(script="exit 7", prefix=(sys.executable, "-c", ignore))) == (7, "")


def test_gives_a_guarded_program_nothing_to_read() -> None:
    assert end_of(start_guarded(script="cat; echo end")) == (0, "end\n")


def test_says_that_a_guarded_program_is_missing() -> None:
    guarded = start_guarded(script="exec /absent/program")

    assert end_of(guarded)[0] == 127


@needs_proc
@pytest.mark.parametrize("way", ["setsid", "env -i setsid", "env -i nohup setsid --fork"])
def test_ends_the_daemons_of_a_guarded_program(tmp_path: Path, way: str) -> None:
    note = tmp_path / "pid"
    daemon = f"{way} /bin/sh -c 'echo $$ > {note}.part; mv {note}.part {note}; exec sleep 300' >/dev/null 2>&1 &"
    guarded = start_guarded(script=f"({daemon}) ; while ! [ -e {note} ]; do sleep 0.02; done")

    assert end_of(guarded) == (0, "")

    assert not is_running(int(note.read_text()))


@needs_proc
def test_ends_a_guarded_program_and_its_daemons_when_the_other_end_is_closed() -> None:
    guarded = start_guarded(script="setsid sh -c 'echo $$; exec sleep 300' & wait")
    assert guarded.stdin
    assert guarded.stdout
    daemon = int(guarded.stdout.readline())

    guarded.stdin.close()

    with guarded.stdout:
        assert guarded.stdout.read() == ""
    assert guarded.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert not is_running(daemon)


def test_leaves_a_signal_for_the_group_to_the_guarded_program() -> None:
    guarded = start_guarded(script="trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    assert guarded.stdout
    guarded.stdout.readline()

    os.killpg(guarded.pid, signal.SIGTERM)

    code, output = end_of(guarded)
    # The shell also reports the sleep that the signal ended.
    assert (code, output.splitlines()[-1]) == (5, "told")


def test_ends_an_unheeding_guarded_program_by_a_signal_for_the_group() -> None:
    guarded = start_guarded(script="echo ready; exec sleep 300")
    assert guarded.stdout
    guarded.stdout.readline()

    os.killpg(guarded.pid, signal.SIGTERM)

    assert end_of(guarded) == (-signal.SIGTERM, "")


@needs_place
def test_gives_each_program_an_opt_ml_of_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    script = "echo $0 > /opt/ml/written; cat /opt/ml/written; read wait < /opt/ml/pipe"
    for folder in folders:
        os.mkfifo(folder / "pipe")
    placed = [
        subprocess.Popen(
            [*launch_with(("place", str(folder))), "/bin/sh", "-c", script, folder.name],
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]

    lines = [process.stdout.readline() for process in placed if process.stdout]

    for folder, process in zip(folders, placed, strict=True):
        (folder / "pipe").write_text("end\n")
        process.communicate()
    assert lines == ["a\n", "b\n"]
    assert [(folder / "written").read_text() for folder in folders] == ["a\n", "b\n"]


@needs_place
def test_leaves_opt_of_this_machine_as_it_is(tmp_path: Path) -> None:
    before = {entry.name for entry in Path("/opt").iterdir()}
    script = "touch /opt/ml/mine; ls /opt"

    answer = launch("place", str(tmp_path), "--", "/bin/sh", "-c", script)

    assert before | {"ml"} == set(answer.stdout.split())
    assert {entry.name for entry in Path("/opt").iterdir()} == before
    assert not Path("/opt/ml/mine").exists()
    assert (tmp_path / "mine").exists()


@needs_place
def test_shows_read_only_folders_below_opt_ml_read_only(tmp_path: Path) -> None:
    channel = tmp_path / "channel"
    channel.mkdir()
    words = ("mount", str(channel), str(channel), "place", str(tmp_path))

    answer = launch(*words, "--", "/bin/sh", "-c", "touch /opt/ml/a /opt/ml/channel/b")

    assert "Read-only file system" in answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "channel"]


@needs_place
def test_places_opt_ml_for_an_ordinary_user() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        prefix = AS_NOBODY if os.geteuid() == 0 else ()
        if prefix and not can_run_as_nobody():
            pytest.skip("programs cannot be run as another user here")

        answer = end_of(start_guarded("place", folder, script="id -u > /opt/ml/user", prefix=prefix))

        assert answer == (0, "")
        assert int(Path(folder, "user").read_text()) == (NOBODY if prefix else os.geteuid())
