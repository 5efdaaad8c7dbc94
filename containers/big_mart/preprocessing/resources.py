"""The instances of a processing job, as SageMaker describes them to each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Relative to the root: training jobs have it elsewhere.
RESOURCES_FILE: Final = "config/resourceconfig.json"


@dataclass(frozen=True)
class Resources:
    """The names of all instances, the same order on each, and that of this one."""

    hosts: tuple[str, ...] = ("alone",)
    host: str = "alone"

    @property
    def index(self) -> int:
        """Which of them this is, counted from 0."""
        return self.hosts.index(self.host)


def read_resources(root: Path) -> Resources:
    """The instances of the job; one where nothing says otherwise, as outside SageMaker.

    Args:
        root: Where SageMaker's folders are.
    """
    try:
        found = json.loads((root / RESOURCES_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Resources()
    return Resources(tuple(sorted(found["hosts"])), found["current_host"])
