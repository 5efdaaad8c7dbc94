"""The programs of a job's instances, which start and end together."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.local.sagemaker.instances import Instance
from headrace.local.sagemaker.processes import ContainerProcess


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is to run on one instance.

    Args:
        instance: The instance.
        command: Its command line.
        environment: Variables that it has beside those of the job.
        preparation: Words of the launcher.
        streamed: Folders that take no room on its volume.
    """

    instance: Instance
    command: tuple[str, ...]
    environment: Mapping[str, str]
    preparation: tuple[str, ...] = ()
    streamed: Collection[Path] = ()


class RunningPrograms:
    """The programs that run, in the order of their instances."""

    def __init__(self) -> None:
        self.processes: list[ContainerProcess] = []

    @property
    def have_ended(self) -> bool:
        """Whether all are done, or one has failed, without which the others make no sense."""
        ended = [process for process in self.processes if process.exited]
        return len(ended) == len(self.processes) or any(process.exit_code for process in ended)

    def find_failed(self) -> int | None:
        """Which of them was the first to fail, all of which have ended; none where all succeeded."""
        failed = [number for number, process in enumerate(self.processes) if process.exit_code]
        return min(failed, key=lambda number: self.processes[number].ended_at, default=None)

    def stop(self, grace_seconds: float) -> None:
        """Asks all to end and kills what is left after the grace."""
        for process in self.processes:
            process.ask_to_end()
        deadline = time.monotonic() + grace_seconds
        for process in self.processes:
            process.wait(max(0, deadline - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """Ends all at once and returns when they are gone."""
        for process in self.processes:
            if not process.exited:
                process.kill()
