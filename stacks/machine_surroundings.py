"""What the state machines of all stacks need to know of their environment."""

from aws_cdk import aws_kms as kms

from stacks.constructs.clean_up import CleanUpSurroundings
from stacks.constructs.state_machine import MachineLog
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.environment import Settings


def describe_clean_up(settings: Settings, target: BundleTarget) -> CleanUpSurroundings:
    """What cleans up after executions needs to know."""
    return CleanUpSurroundings(environment=settings.environment, notifies=settings.alarms is not None, target=target)


def describe_log(settings: Settings, machine: str, *, days: int, key: kms.IKey | None) -> MachineLog:
    """Where a state machine logs.

    Args:
        settings: Those of the environment.
        machine: What the log is named after.
        days: How long events are kept.
        key: The customer's key, to encrypt them with.
    """
    return MachineLog(
        environment=settings.environment, machine=machine, days=days, key=key, retain_data=settings.retain_data
    )
