"""Every command and every kind of file: a documented end, a sentence, no traceback, nothing half-written."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import count_examples
from tests.headrace.cli import samples
from tests.headrace.cli.programs import Ended, ForkServer
from tests.tables import mark_full

# Some seven hundred programs, quickly as each of them starts.
pytestmark = pytest.mark.slow

DOCUMENTED = {0, 1, 2}
# Just what Python writes to find its folder for temporary files.
FEW_BYTES = 4
EXTRA = ["--json", "--rows", "-o", "0", "--nonsense", "\udcff", ""]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    samples.make_files(folder)
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def check_end(ended: Ended, folder: Path) -> None:
    """What holds however a command ends; empties its folder of outputs."""
    left = sorted(path.name for path in (folder / samples.OUT).rglob("*"))
    shutil.rmtree(folder / samples.OUT)
    (folder / samples.OUT).mkdir()
    assert "Traceback" not in ended.stderr
    assert ended.code in DOCUMENTED
    assert not [name for name in left if name.startswith(".")]
    if ended.code:
        assert left == []
        assert ended.stdout + ended.stderr


# The other commands meet good files, devices and pipes below.
@pytest.mark.parametrize("command", mark_full("input-kinds", samples.COMMANDS, but=list(samples.COMMANDS)[::4]))
def test_ends_well_whatever_it_reads(command: str, folder: Path, headrace: ForkServer) -> None:
    for kind, make in samples.KINDS.items():
        path = folder / "given"
        make(path)
        ended = headrace.run(*samples.fill_in(command, path.name), cwd=folder)
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

        check_end(ended, folder)
        if kind in ("folder", "broken link", "link to itself", "socket") or (kind == "unreadable" and os.geteuid()):
            assert ended.code


@pytest.mark.parametrize("command", samples.COMMANDS)
def test_reads_no_device_for_ever(command: str, folder: Path, headrace: ForkServer) -> None:
    for device in filter(os.path.exists, samples.DEVICES):
        ended = headrace.run(*samples.fill_in(command, device), cwd=folder)

        check_end(ended, folder)
        assert ended.code or device == os.devnull


@pytest.mark.parametrize("command", [name for name in samples.COMMANDS if name != "local invoke"])
def test_does_the_same_with_a_pipe_as_with_a_file(command: str, folder: Path, headrace: ForkServer) -> None:
    good = folder / samples.find_good(command)
    of_file = headrace.run(*samples.fill_in(command, good.name), cwd=folder)
    written = read_outputs(folder)
    check_end(of_file, folder)

    with samples.piping(folder, good.read_bytes()) as pipe:
        of_pipe = headrace.run(*samples.fill_in(command, pipe), cwd=folder)
    assert list(read_outputs(folder).values()) == list(written.values())
    check_end(of_pipe, folder)
    with good.open("rb") as file:
        of_input = headrace.run(*samples.fill_in(command, "-"), cwd=folder, stdin=file.fileno())
    assert list(read_outputs(folder).values()) == list(written.values())
    check_end(of_input, folder)

    assert of_file.code == 0
    assert (of_pipe.code, of_pipe.stdout.replace("pipe", good.stem)) == (0, of_file.stdout)
    assert (of_input.code, of_input.stdout.count("\n")) == (0, of_file.stdout.count("\n"))


def read_outputs(folder: Path) -> dict[str, bytes]:
    """What has been written; photographs and lists that have their input's name in them, without it."""
    paths = sorted(path for path in (folder / samples.OUT).rglob("*") if path.is_file())
    return {path.name: hide_names(path.read_bytes()) for path in paths}


def hide_names(content: bytes) -> bytes:
    for name in (b"good.manifest", b"machine", b"pipe", b"stdin"):
        content = content.replace(name, b"input")
    return content


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", samples.COMMANDS)
def test_tells_that_standard_output_is_full(command: str, folder: Path, headrace: ForkServer) -> None:
    with Path("/dev/full").open("w") as full:
        ended = headrace.run(*samples.fill_in(command, samples.find_good(command)), cwd=folder, stdout=full.fileno())

    # What a command has written by then is whole, and stays.
    shutil.rmtree(folder / samples.OUT)
    (folder / samples.OUT).mkdir()
    check_end(ended, folder)
    is_told = "standard output: No space left on device" in ended.stderr
    assert (ended.code, is_told) in ((1, True), (0, False)) or command == "local invoke"


@pytest.mark.parametrize("command", [name for name, line in samples.COMMANDS.items() if samples.OUT in "".join(line)])
def test_leaves_nothing_when_a_file_cannot_grow(command: str, folder: Path, headrace: ForkServer) -> None:
    reading, writing = os.pipe()
    line = samples.fill_in(command, samples.find_good(command))
    ended = headrace.run(*line, cwd=folder, stdout=writing, stderr=writing, largest_file=FEW_BYTES)
    os.close(writing)
    with os.fdopen(reading) as said:
        ended = Ended(ended.code, "", said.read())

    check_end(ended, folder)
    assert ended.code == 1
    assert "File too large; the file size limit is reached" in ended.stderr


@given(data=st.data())
@settings(
    max_examples=count_examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_ends_well_whatever_the_command_line(data: st.DataObject, folder: Path, headrace: ForkServer) -> None:
    line = list(samples.COMMANDS[data.draw(st.sampled_from(sorted(samples.COMMANDS)))])
    path = folder / "given"
    kind = data.draw(st.sampled_from([*samples.KINDS, "nothing"]))
    places = ["given", "-", os.devnull, "good.lst", "good.manifest", "out/new", "out/train", "given/below", "/dev/full"]
    for position, argument in enumerate(line):
        if argument == samples.INPUT or "." in argument or argument.startswith(samples.OUT):
            line[position] = data.draw(st.sampled_from(["given" if argument == samples.INPUT else argument, *places]))
    extra = data.draw(st.lists(st.sampled_from(EXTRA), max_size=2))
    before = {name: (folder / name).read_bytes() for name in ("good.lst", "good.manifest")}
    # After everything is drawn: Hypothesis may break off a draw, and nothing would remove the file then.
    if kind in samples.KINDS:
        samples.KINDS[kind](path)

    ended = headrace.run(*line, *extra, cwd=folder)

    if path.is_symlink() or path.exists():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    overwritten = [name for name, content in before.items() if (folder / name).read_bytes() != content]
    for name in overwritten:
        (folder / name).write_bytes(before[name])
    check_end(ended, folder)
    assert not overwritten or ended.code == 0
