"""What an update of an endpoint puts where another model serves, and how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.local.sagemaker.deployments import Deployment
from headrace.local.sagemaker.host import read_clock
from headrace.local.sagemaker.rollout import Rollout


@dataclass
class Replacement:
    """What an update replaces the serving machines with.

    Attributes:
        deployment: The new machines.
        rollout: How requests move to them.
        share: What part of the requests they get now.
        stage: What DescribeEndpoint says that is being done.
        began: When the update began,
        changed: and when that stage did.
    """

    deployment: Deployment
    rollout: Rollout
    began: datetime
    share: float = 0.0
    stage: str = "Creating"
    changed: datetime | None = None

    def enter(self, stage: str) -> None:
        """Note what is being done from now on."""
        self.stage, self.changed = stage, read_clock()

    def describe(self) -> dict[str, Any]:
        """PendingDeploymentSummary of the API."""
        variant = self.deployment.describe_variant()
        if "CurrentInstanceCount" in variant and self.stage == "Creating":
            variant["CurrentInstanceCount"] = 0
        given = self.deployment.variant
        machine = {"InstanceType": given["InstanceType"]} if "InstanceType" in given else {}
        status = {"Status": self.stage, "StartTime": self.changed or self.began}
        return {
            "EndpointConfigName": self.deployment.config.name,
            "StartTime": self.began,
            "ProductionVariants": [{**variant, **machine, "VariantStatus": [status]}],
        }
