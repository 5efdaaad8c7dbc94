"""Command line tools as child processes that never outlive their caller."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from headrace.errors import HeadraceError
from headrace.leash import LeashedProcess

_ASK_SECONDS: Final = 1


class ToolError(HeadraceError):
    """A tool failed; the message ends with what it said."""


class Tool:
    """A running tool, killed with everything it started unless it has finished when the `with` block ends.

    Args:
        title: What to call it when it fails.
        command: The program and its arguments.
        environment: Variables to add to this process's own.
        directory: Where to run it.
    """

    def __init__(
        self,
        title: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self._title = title
        # A file, not a pipe: it is not read while several tools run side by side.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the block)
        self._process = LeashedProcess(
            command,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        with self._output, self._process:
            pass

    def finish(self, *, is_of_use: Callable[[], bool] = lambda: True) -> None:
        """Wait until it ends.

        Args:
            is_of_use: Whether it can still succeed; it is asked now and then.

        Raises:
            ToolError: If it fails, or is of no use any more.
        """
        while (code := self._wait_a_while()) is None:
            if not is_of_use():
                raise ToolError(f"{self._title} was given up")
        if code != 0:
            self._output.seek(0)
            said = self._output.read().decode(errors="replace").strip()
            raise ToolError(f"{self._title} failed:\n{said}")

    def _wait_a_while(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_ASK_SECONDS)
        return None


def run_tool(
    title: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    is_of_use: Callable[[], bool] = lambda: True,
) -> None:
    """Run a tool to its end.

    Raises:
        ToolError: If it fails.
    """
    with Tool(title, command, environment=environment, directory=directory) as tool:
        tool.finish(is_of_use=is_of_use)
