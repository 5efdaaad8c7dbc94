"""The feeding side of Pipe mode, with readers of this process."""

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.pipes import PipeFeeder
from headrace.recordio import open_epoch
from tests.patience import PATIENCE_SECONDS

MANY = b"x" * (1 << 22)


class FakeStream:
    """Epochs that say their number, or whatever a test wants."""

    def __init__(self, blocks: Callable[[int], Iterator[bytes]] | None = None) -> None:
        self._blocks = blocks or (lambda epoch: iter([f"epoch {epoch}".encode()]))
        self.closed = threading.Event()

    def read_epoch(self, epoch: int) -> Generator[bytes, None, None]:
        try:
            yield from self._blocks(epoch)
        finally:
            self.closed.set()


@contextmanager
def feeding(folder: Path, stream: FakeStream | None = None) -> Iterator[list[JobDataError]]:
    errors: list[JobDataError] = []
    feeder = PipeFeeder("train", folder, (stream or FakeStream()).read_epoch, errors.append)
    feeder.start()
    try:
        yield errors
    finally:
        closer = threading.Thread(target=feeder.close)
        closer.start()
        closer.join(PATIENCE_SECONDS)
        assert not closer.is_alive()


def read_epoch(folder: Path, epoch: int) -> bytes:
    with open_epoch("train", epoch, folder) as pipe:
        return pipe.read()


def test_gives_each_epoch_a_pipe_of_its_own(tmp_path: Path) -> None:
    with feeding(tmp_path):
        assert [read_epoch(tmp_path, epoch) for epoch in range(3)] == [b"epoch 0", b"epoch 1", b"epoch 2"]


def test_has_the_next_pipe_ready_before_the_end_of_one_can_be_seen(tmp_path: Path) -> None:
    with feeding(tmp_path):
        for epoch in range(20):
            read_epoch(tmp_path, epoch)

            assert sorted(path.name for path in tmp_path.iterdir()) == [f"train_{epoch + 1}"]


def test_sends_more_than_a_pipe_holds(tmp_path: Path) -> None:
    with feeding(tmp_path, FakeStream(lambda _: iter([MANY, b"end"]))):
        assert read_epoch(tmp_path, 0) == MANY + b"end"


def test_sends_nothing_of_an_epoch_without_data(tmp_path: Path) -> None:
    with feeding(tmp_path, FakeStream(lambda _: iter([]))):
        assert read_epoch(tmp_path, 0) == b""


def test_goes_on_with_the_next_epoch_when_a_reader_stops_early(tmp_path: Path) -> None:
    with feeding(tmp_path, FakeStream(lambda epoch: iter([str(epoch).encode(), MANY]))) as errors:
        for epoch in range(3):
            with open_epoch("train", epoch, tmp_path) as pipe:
                assert pipe.read(1) == str(epoch).encode()

    assert errors == []


def test_closes_what_it_reads_when_a_reader_stops_early(tmp_path: Path) -> None:
    stream = FakeStream(lambda _: iter([MANY, MANY]))

    with feeding(tmp_path, stream), open_epoch("train", 0, tmp_path) as pipe:
        pipe.close()

        assert stream.closed.wait(PATIENCE_SECONDS)


def test_ends_when_no_program_opens_the_pipe(tmp_path: Path) -> None:
    with feeding(tmp_path):
        pass


def test_ends_when_a_reader_has_stopped_to_read(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with feeding(tmp_path, FakeStream(lambda _: iter([MANY]))):
            reader = os.open("train_0", os.O_RDONLY, dir_fd=descriptor)
        os.close(reader)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("replace", [Path.mkdir, Path.touch, lambda path: path.symlink_to(path.parent)])
def test_ends_when_a_program_puts_something_else_in_place_of_the_pipe(
    tmp_path: Path, replace: Callable[[Path], None]
) -> None:
    with feeding(tmp_path) as errors:
        pipe = tmp_path / "train_0"
        pipe.unlink()
        replace(pipe)

    assert errors == []


def test_says_why_data_end_too_early_before_they_do(tmp_path: Path) -> None:
    def fail(_: int) -> Iterator[bytes]:
        yield b"1"
        raise JobDataError("there is no object")

    with feeding(tmp_path, FakeStream(fail)) as errors:
        assert read_epoch(tmp_path, 0) == b"1"
        assert list(map(str, errors)) == ["there is no object"]


def test_says_why_there_is_no_next_pipe(tmp_path: Path) -> None:
    (tmp_path / "train_1").touch()

    with feeding(tmp_path) as errors:
        read_epoch(tmp_path, 0)

        assert "channel train" in str(errors[0])
