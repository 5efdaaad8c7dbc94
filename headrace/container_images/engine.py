"""The container engine of this machine: Docker where its daemon answers, else podman."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headrace.errors import HeadraceError
from headrace.leash import LeashedProcess

_ANSWER_SECONDS: Final = 20
_SHOWN_LINES: Final = 20
_INSTALL: Final = (
    "no container engine answers; start Docker, or install podman: 'apt-get install podman' on Debian and Ubuntu, "
    "'dnf install podman' on Fedora, 'brew install podman && podman machine init --now' on macOS"
)


class EngineError(HeadraceError):
    """There is no engine, or it failed; the message ends with its own words."""


class EngineName(StrEnum):
    """The engines that are known, the preferred one first."""

    DOCKER = "docker"
    PODMAN = "podman"


@dataclass(frozen=True)
class Engine:
    """One engine's command line."""

    name: EngineName

    def call(self, title: str, arguments: Sequence[str], *, stdin: str | None = None) -> str:
        """What a command prints on standard output.

        Args:
            title: What to call the command when it fails.
            arguments: The command, without the engine's name.
            stdin: What it reads on standard input.

        Raises:
            EngineError: If it fails.
        """
        answer = self.attempt(arguments, stdin=stdin)
        if answer.returncode != 0:
            raise EngineError(f"{title} failed:\n{show_end(answer.stderr or answer.stdout)}")
        return answer.stdout.strip()

    def attempt(self, arguments: Sequence[str], *, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """How a command that may fail ended; it never outlives this process."""
        command = [self.name.value, *arguments]
        with LeashedProcess(
            command,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            stdout, stderr = process.communicate(stdin)
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def has_image(self, name: str) -> bool:
        """Whether the engine holds a container image of this name."""
        return self.attempt(["image", "inspect", name]).returncode == 0


def find_engine(wanted: EngineName | None = None) -> Engine:
    """The engine that is asked for, or else the first that answers.

    Raises:
        EngineError: If none does.
    """
    for name in [wanted] if wanted else EngineName:
        if _answers(name):
            return Engine(name)
    raise EngineError(f"{wanted} does not answer; is it installed and started?" if wanted else _INSTALL)


def show_end(text: str) -> str:
    """The last lines of an output, where the reason usually is."""
    return "\n".join(text.strip().splitlines()[-_SHOWN_LINES:])


def _answers(name: EngineName) -> bool:
    if shutil.which(name) is None:
        return False
    try:
        # The client of Docker exits with 0 only when its daemon answers.
        probe = subprocess.run([name.value, "info"], capture_output=True, timeout=_ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0
