import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from headrace.channels import RecordWrapper
from headrace.recordio import RecordIOError, make_pipe, open_epoch, read_batches, read_objects, send_objects, write_rows
from headrace.recordio.framing import MAGIC

OBJECTS = [b"first", MAGIC * 3, b"", bytes(200_000)]


@pytest.fixture
def sender() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_reads_wrapped_objects_epoch_by_epoch(tmp_path: Path, sender: ThreadPoolExecutor) -> None:
    for epoch, objects in enumerate([OBJECTS, OBJECTS[::-1]]):
        pipe = make_pipe("train", epoch, tmp_path)
        sent = sender.submit(send_objects, pipe, objects, RecordWrapper.RECORD_IO)

        assert list(read_objects("train", epoch, tmp_path)) == objects
        assert sent.result() is True
    assert list(tmp_path.iterdir()) == []


def test_reads_objects_without_wrapper_as_one_stream(tmp_path: Path, sender: ThreadPoolExecutor) -> None:
    pipe = make_pipe("train", 3, tmp_path)
    sent = sender.submit(send_objects, pipe, OBJECTS)

    with open_epoch("train", 3, tmp_path) as stream:
        content = stream.read()

    assert pipe == tmp_path / "train_3"
    assert content == b"".join(OBJECTS)
    assert sent.result() is True


def test_reads_rows_from_a_pipe_of_several_files(tmp_path: Path, sender: ThreadPoolExecutor) -> None:
    features = np.arange(60_000, dtype=np.float32).reshape(20_000, 3)
    write_rows(tmp_path / "part.pbr", features)
    pipe = make_pipe("train", 0, tmp_path)
    sent = sender.submit(send_objects, pipe, [(tmp_path / "part.pbr").read_bytes()] * 2)

    with open_epoch("train", 0, tmp_path) as stream:
        found = np.concatenate([batch.features for batch in read_batches(stream)])

    assert np.array_equal(found, np.concatenate([features, features]))
    assert sent.result() is True


def test_lets_the_reader_stop_early(tmp_path: Path, sender: ThreadPoolExecutor) -> None:
    pipe = make_pipe("train", 0, tmp_path)
    sent = sender.submit(send_objects, pipe, repeat(bytes(1000)), RecordWrapper.RECORD_IO)

    with closing(read_objects("train", 0, tmp_path)) as objects:
        assert next(objects) == bytes(1000)

    assert sent.result() is False
    assert not pipe.exists()


def test_says_when_a_sender_dies_within_a_record(tmp_path: Path, sender: ThreadPoolExecutor) -> None:
    pipe = make_pipe("train", 0, tmp_path)
    sent = sender.submit(send_objects, pipe, [MAGIC + b"\x20\0\0\0only this"])

    with pytest.raises(RecordIOError, match="record 0 at byte 0: has 9 of its 32 bytes"):
        list(read_objects("train", 0, tmp_path))

    assert sent.result() is True


def test_says_when_there_is_no_pipe(tmp_path: Path) -> None:
    with pytest.raises(RecordIOError, match=r"train_0: No such file or directory; check the channel's name, that its"):
        list(read_objects("train", 0, tmp_path))


def test_says_when_the_channel_is_not_in_pipe_mode(tmp_path: Path) -> None:
    (tmp_path / "train_0").touch()

    with pytest.raises(RecordIOError, match="is not a named pipe; is the channel's InputMode Pipe"):
        list(read_objects("train", 0, tmp_path))


def test_says_when_a_pipe_is_there_already(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train_0")

    with pytest.raises(RecordIOError, match=r"train_0: File exists$"):
        make_pipe("train", 0, tmp_path)
