"""Pipe mode: named pipes in a job's folder, filled while its program reads them.

The pipe of an epoch, `/opt/ml/input/data/CHANNEL_EPOCH`, is there before a program can know that it needs it: the first
before the program starts, each further one as soon as the one before is opened. The end of a pipe is the end of its
epoch. A program that closes a pipe earlier goes on with the next one; one that opens none, or stops reading, does not
keep its job from ending: nothing here blocks for longer than an instant.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
"""

import errno
import fcntl
import logging
import os
import select
import stat
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Final

from headrace.local.sagemaker.errors import JobDataError, StoppedError
from headrace.local.sagemaker.s3_objects import AWS_ERRORS

WAITING_SECONDS: Final = 0.01
LOOKING_MILLISECONDS: Final = 50
# Linux alone lets a pipe hold more than 64 KiB, and an ordinary user no more than this.
PIPE_BYTES: Final = 1 << 20
_SET_PIPE_SIZE: Final = getattr(fcntl, "F_SETPIPE_SZ", None)

ReadEpoch = Callable[[int], Generator[bytes, None, None]]

logger = logging.getLogger(__name__)


def describe_failure(channel: str, error: Exception) -> JobDataError:
    """Why the data of a channel could not be sent."""
    return (
        error if isinstance(error, JobDataError) else JobDataError(f"Data streaming failed: channel {channel}: {error}")
    )


class PipeFeeder:
    """Feeds the pipes of one channel of one instance, one epoch after the other, until it is closed.

    Args:
        channel: Its name.
        folder: Where its pipes are made.
        read_epoch: What the pipe of an epoch carries; closed where it is not read to its end.
        fail: Takes why data could not be sent, before the pipe ends too early.
    """

    def __init__(self, channel: str, folder: Path, read_epoch: ReadEpoch, fail: Callable[[JobDataError], None]) -> None:
        self._channel = channel
        self._folder = folder
        self._read_epoch = read_epoch
        self._fail = fail
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pipe {channel}", daemon=True)

    def start(self) -> None:
        """Makes the first pipe, and begins to wait for its reader."""
        self._make_pipe(0)
        self._thread.start()

    def close(self) -> None:
        """Ends the feeding, whatever the program does, and returns when it has ended."""
        self._closing.set()
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        try:
            for epoch in count():
                self._feed(epoch)
        except StoppedError:
            return
        except OSError as error:
            # A program may do with its folders what it likes.
            logger.info("pipe_ended channel=%s error=%s", self._channel, error)

    def _feed(self, epoch: int) -> None:
        path = self._find_pipe(epoch)
        descriptor = self._await_reader(path)
        try:
            self._make_pipe(epoch + 1)
            with closing(self._read_epoch(epoch)) as blocks:
                self._send(descriptor, blocks)
        except BrokenPipeError:
            # The program has had enough of this epoch.
            return
        except (JobDataError, OSError, *AWS_ERRORS) as error:
            self._fail(describe_failure(self._channel, error))
            raise StoppedError from error
        finally:
            # It is gone before its end can be seen: who opened it again would wait for ever.
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def _find_pipe(self, epoch: int) -> Path:
        return self._folder / f"{self._channel}_{epoch}"

    def _make_pipe(self, epoch: int) -> None:
        path = self._find_pipe(epoch)
        os.mkfifo(path)
        # The program of a container may be another user's.
        path.chmod(0o666)

    def _await_reader(self, path: Path) -> int:
        """A descriptor that never blocks, as soon as a program has the pipe open."""
        while not self._closing.wait(WAITING_SECONDS):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                continue
            if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise OSError(errno.EINVAL, f"{path.name} is not the pipe that was made")
            if _SET_PIPE_SIZE is not None:
                with suppress(OSError):
                    fcntl.fcntl(descriptor, _SET_PIPE_SIZE, PIPE_BYTES)
            return descriptor
        raise StoppedError

    def _send(self, descriptor: int, blocks: Iterable[bytes]) -> None:
        """Writes blocks as fast as they are read; raises BrokenPipeError when the program has closed the pipe."""
        room = select.poll()
        room.register(descriptor, select.POLLOUT)
        for block in blocks:
            left = memoryview(block)
            while left:
                if self._closing.is_set():
                    raise StoppedError
                if room.poll(LOOKING_MILLISECONDS):
                    with suppress(BlockingIOError):
                        left = left[os.write(descriptor, left) :]
