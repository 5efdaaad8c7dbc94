"""Pipe mode: a channel's objects as a stream through a named pipe, one pipe for each epoch.

SageMaker makes the pipe `/opt/ml/input/data/<channel>_<epoch>`, the first for epoch 0, and sends every object of the
channel through it, end to end; with `RecordWrapperType` `RecordIO` each object is one record. The end of the pipe is
the end of the epoch; a program may also close it earlier. It then opens the next epoch's.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

import os
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from headrace.channels.vocabulary import RecordWrapper
from headrace.recordio.framing import RecordIOError, frame_record, read_frames

DATA_FOLDER = Path("/opt/ml/input/data")


def find_pipe(channel: str, epoch: int, folder: Path = DATA_FOLDER) -> Path:
    """Where the pipe of an epoch is."""
    return folder / f"{channel}_{epoch}"


@contextmanager
def open_epoch(channel: str, epoch: int, folder: Path = DATA_FOLDER) -> Iterator[BinaryIO]:
    """The stream of an epoch, to read to its end or as far as is needed.

    Args:
        channel: Its name.
        epoch: Counted from 0.
        folder: Where SageMaker makes the pipes.

    Example:
        with open_epoch("train", epoch) as stream:
            for rows in read_batches(stream):
                ...
    """
    path = find_pipe(channel, epoch, folder)
    try:
        is_pipe = stat.S_ISFIFO(path.stat().st_mode)
    except OSError as error:
        raise RecordIOError(
            f"{path}: {error.strerror}; check the channel's name, that its InputMode is Pipe, and that epochs are "
            "opened one after the other from 0"
        ) from error
    if not is_pipe:
        raise RecordIOError(f"{path}: is not a named pipe; is the channel's InputMode Pipe?")
    with path.open("rb") as stream:
        yield stream


def read_objects(channel: str, epoch: int, folder: Path = DATA_FOLDER) -> Generator[bytes, None, None]:
    """The objects of an epoch, of a channel with `RecordWrapper.RECORD_IO`; closing the iterator ends the epoch."""
    with open_epoch(channel, epoch, folder) as stream:
        for frame in read_frames(stream):
            yield frame.payload


def make_pipe(channel: str, epoch: int, folder: Path = DATA_FOLDER) -> Path:
    """Make the pipe of an epoch, for which a program may be waiting."""
    path = find_pipe(channel, epoch, folder)
    try:
        os.mkfifo(path)
    except OSError as error:
        raise RecordIOError(f"{path}: {error.strerror}") from error
    return path


def send_objects(pipe: Path, objects: Iterable[bytes], wrapper: RecordWrapper = RecordWrapper.NONE) -> bool:
    """Send objects through a pipe as SageMaker does, and return whether they were read to the end.

    Waits for the reader; the pipe is gone afterwards.

    Args:
        pipe: What `make_pipe` made.
        objects: The contents of the channel's objects.
        wrapper: What is put around each.
    """
    try:
        with pipe.open("wb") as stream:
            for content in objects:
                stream.write(frame_record(content) if wrapper is RecordWrapper.RECORD_IO else content)
    except BrokenPipeError:
        return False
    finally:
        pipe.unlink()
    return True
