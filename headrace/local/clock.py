"""The clock of the local cloud: what waits on AWS waits here, too, but for a share of the time."""

from typing import Final

# Waits of a state machine, periods of alarms and metrics, and the baking of an endpoint take this share of their time.
WAIT_SCALE: Final = 0.02


def to_machine_seconds(cloud_seconds: float) -> float:
    """How long this machine waits where AWS would wait so long."""
    return cloud_seconds * WAIT_SCALE


def to_cloud_seconds(machine_seconds: float) -> float:
    """How long AWS would have taken for what took so long on this machine."""
    return machine_seconds / WAIT_SCALE
