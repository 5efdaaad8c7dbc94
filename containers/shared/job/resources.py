"""What SageMaker says to each instance of a processing job: which they are, and of which job."""

import json
from dataclasses import dataclass
from pathlib import Path

from containers.shared.sagemaker import PROCESSING_JOB_FILE, PROCESSING_RESOURCES_FILE


@dataclass(frozen=True)
class Resources:
    """The instances of a job.

    Args:
        hosts: The names of all, the same order on each.
        host: That of this one.
        job: The name of the job.
    """

    hosts: tuple[str, ...] = ("alone",)
    host: str = "alone"
    job: str = ""

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
        found = json.loads((root / PROCESSING_RESOURCES_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Resources()
    described = root / PROCESSING_JOB_FILE
    job = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else {}
    return Resources(tuple(sorted(found["hosts"])), found["current_host"], job.get("ProcessingJobName", ""))
