"""How large SageMaker's machines are whose price is known.

Checked on 2026-11-29: processors and memory are those of the table `INSTANCE_RESOURCES` in
https://github.com/aws/sagemaker-hyperpod-cli, and of tables in public code that agree where that lacks a type; families
whose disk comes with the machine are named in https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class MachineSize:
    """How large a machine is.

    Args:
        processors: Its virtual processors.
        memory_gib: Its memory.
        gpus: Its GPUs, all of one kind in a family.
        has_own_disk: Whether its disk comes with it, and is not a volume of any size.
    """

    processors: int
    memory_gib: int
    gpus: int = 0
    has_own_disk: bool = False


SIZES: Final[Mapping[str, MachineSize]] = {
    "ml.t3.medium": MachineSize(2, 4),
    "ml.t3.large": MachineSize(2, 8),
    "ml.t3.xlarge": MachineSize(4, 16),
    "ml.m5.large": MachineSize(2, 8),
    "ml.m5.xlarge": MachineSize(4, 16),
    "ml.m5.2xlarge": MachineSize(8, 32),
    "ml.m5.4xlarge": MachineSize(16, 64),
    "ml.c5.xlarge": MachineSize(4, 8),
    "ml.c5.2xlarge": MachineSize(8, 16),
    "ml.c5.9xlarge": MachineSize(36, 72),
    "ml.r5.8xlarge": MachineSize(32, 256),
    "ml.g4dn.xlarge": MachineSize(4, 16, 1, has_own_disk=True),
    "ml.g4dn.2xlarge": MachineSize(8, 32, 1, has_own_disk=True),
    "ml.g4dn.4xlarge": MachineSize(16, 64, 1, has_own_disk=True),
    "ml.g4dn.8xlarge": MachineSize(32, 128, 1, has_own_disk=True),
    "ml.g5.xlarge": MachineSize(4, 16, 1, has_own_disk=True),
    "ml.g5.2xlarge": MachineSize(8, 32, 1, has_own_disk=True),
    "ml.g5.12xlarge": MachineSize(48, 192, 4, has_own_disk=True),
}


def find_next_smaller(instance_type: str) -> str | None:
    """The largest known type of the same family that is smaller; none where there is none."""
    size, family = SIZES[instance_type], _find_family(instance_type)
    smaller = [
        (other.processors, other.memory_gib, name)
        for name, other in SIZES.items()
        if _find_family(name) == family and (other.processors, other.memory_gib) < (size.processors, size.memory_gib)
    ]
    return max(smaller)[2] if smaller else None


def _find_family(instance_type: str) -> str:
    return instance_type.split(".")[1]
