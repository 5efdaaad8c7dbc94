"""Ends what a server of the local cloud leaves behind when it is killed.

A process beside the server: it holds the server's lock too, so that no other server starts before it is done.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

_ENDED_WELL: Final = b"."


class Watcher:
    """Watches this process, and if it is killed, ends the jobs and endpoints under a folder and removes another.

    Args:
        jobs: The folder that records them.
        scratch: The folder of temporary files.
        lock: The lock to hold until that is done.
    """

    def __init__(self, jobs: Path, scratch: Path, lock: IO[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "headrace.local.engine.aftermath", str(jobs), str(scratch)],
            stdin=subprocess.PIPE,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Say that this process leaves nothing behind."""
        self._process.communicate(_ENDED_WELL)


def main() -> None:
    """Wait for the server's end on standard input, a pipe from it."""
    if sys.stdin.buffer.read() == _ENDED_WELL:
        return
    # Not above: rarely needed, and this process waits for a long time.
    from headrace.local.sagemaker import stop_leftover_processes

    jobs, scratch = map(Path, sys.argv[1:])
    stop_leftover_processes(jobs)
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
