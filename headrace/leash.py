"""Runs programs that never outlive this process, however it ends, even when it is killed.

Between this process and the program stands this file, run as a program: a pipe from here reaches it, which the system
closes with this process, and then it kills its process group, the program and what that has started included.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

_SIGNALLED = 128


class LeashedProcess(subprocess.Popen[Any]):
    """A program that is killed with all it has started when this process ends, or the `with` block does before it.

    Args:
        command: The program and its arguments.
        options: What `subprocess.Popen` takes besides.
    """

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        theirs, self._ours = os.pipe()
        try:
            # Isolated and without site packages: it starts in a few milliseconds, whatever the environment says.
            super().__init__(
                [sys.executable, "-I", "-S", __file__, str(theirs), *command],
                pass_fds=[theirs],
                start_new_session=True,
                **options,
            )
        except BaseException:
            os.close(self._ours)
            raise
        finally:
            os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()
        os.close(self._ours)
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()


def _main(pipe: int, command: Sequence[str]) -> int:
    threading.Thread(target=_kill_all_when_closed, args=[pipe], daemon=True).start()
    try:
        code = subprocess.call(command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return _SIGNALLED - 1
    return code if code >= 0 else _SIGNALLED - code


def _kill_all_when_closed(pipe: int) -> None:
    os.read(pipe, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1]), sys.argv[2:]))
