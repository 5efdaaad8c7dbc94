"""Faults of a running local cloud, told through its door with its owner's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.local.engine.cloud import LocalCloud
from headrace.local.faults import PATH, describe_fault, read_fault
from headrace.local.platform.owner_calls import call_as_owner


@dataclass(frozen=True)
class CloudFaults:
    """The faults of a cloud.

    Args:
        cloud: A local cloud that runs.
    """

    cloud: LocalCloud

    def add(self, preset: str, operation: str, **options: Any) -> dict[str, Any]:
        """Have calls meet a fault; the fault.

        Args:
            preset: What goes wrong, a key of `headrace.local.faults.PRESETS`.
            operation: Which calls: `sagemaker:CreateTrainingJob`.
            options: `resource`, `state`, `times`, `skip`, `code`, `message`, as `headrace.local.faults.Fault` has them.

        Raises:
            FaultError: If there is no such fault or operation.
        """
        fault = describe_fault(read_fault({"preset": preset, "operation": operation, **options}))
        added: dict[str, Any] = self._ask("POST", fault)["fault"]
        return added

    def list(self) -> list[dict[str, Any]]:
        """Those that were added, with how many calls each will still meet."""
        found: list[dict[str, Any]] = self._ask("GET")["faults"]
        return found

    def clear(self) -> int:
        """Forget all; how many would still have met a call."""
        return int(self._ask("DELETE")["cleared"])

    def _ask(self, method: str, sent: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return call_as_owner(self.cloud, method, PATH, sent)
