"""SageMaker's kinds of jobs: what they are called, and where their descriptions have their machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    Args:
        type: The type that CloudFormation would have for it.
        resources: Where its description has its machines.
        volume: The price of their volumes; empty where that is not billed.
    """

    type: str
    resources: tuple[str, ...]
    volume: str

    @property
    def entity(self) -> str:
        """What SageMaker calls it, such as `TrainingJob`."""
        return self.type.rpartition("::")[2]

    @property
    def word(self) -> str:
        """What people call it, such as `training job`."""
        return f"{self.entity.removesuffix('Job').lower()} job"

    @property
    def name(self) -> str:
        """The key of its name."""
        return f"{self.entity}Name"

    @property
    def operation(self) -> str:
        """The operation that begins one, as state machines write it."""
        return f"create{self.entity}"

    def find_machines(self, described: Mapping[str, Any]) -> Mapping[str, Any]:
        """What its description says of its machines.

        Raises:
            KeyError: If it does not say it.
        """
        for key in self.resources:
            described = described[key]
        return described


JOB_KINDS: Final = (
    JobKind("AWS::SageMaker::ProcessingJob", ("ProcessingResources", "ClusterConfig"), "processing-volume-gb-month"),
    JobKind("AWS::SageMaker::TrainingJob", ("ResourceConfig",), "volume-gb-month"),
    JobKind("AWS::SageMaker::TransformJob", ("TransformResources",), ""),
)
