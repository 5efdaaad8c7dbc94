"""What a resource costs while it only stands there, in US dollars a month: planning numbers, as in docs/cost.md."""

from collections.abc import Mapping
from typing import Any, Final

from headrace.channels import prices

# By how much is in it.
_RATES: Final[Mapping[str, float]] = {
    "AWS::ECR::Repository": prices.ECR_GB_MONTH,
    "AWS::EFS::FileSystem": prices.EFS_GB_MONTH,
    "AWS::Logs::LogGroup": prices.LOGS_GB_MONTH,
    "AWS::S3::Bucket": prices.S3_GB_MONTH,
}
_FIXED: Final[Mapping[str, float]] = {
    "AWS::CloudWatch::Alarm": prices.ALARM_MONTH,
    "AWS::EC2::NatGateway": prices.NAT_GATEWAY_MONTH,
    "AWS::KMS::Key": prices.KEY_MONTH,
}


def estimate_month(kind: str, properties: Mapping[str, Any]) -> float:
    """What a resource costs a month, whatever it is used for."""
    if kind == "AWS::FSx::FileSystem":
        lustre = properties.get("LustreConfiguration", {})
        is_scratch = str(lustre.get("DeploymentType", "")).startswith("SCRATCH")
        price = prices.FSX_GB_MONTH if is_scratch else prices.FSX_PERSISTENT_GB_MONTH
        return float(properties.get("StorageCapacity", 0)) * price
    if kind == "AWS::EC2::VPCEndpoint":
        return prices.INTERFACE_ENDPOINT_ZONE_MONTH * len(properties.get("SubnetIds", ()))
    return _FIXED.get(kind, 0.0)


def describe_cost(kind: str, properties: Mapping[str, Any]) -> str:
    """What a resource that stays costs, in words; empty where it costs nothing."""
    if month := estimate_month(kind, properties):
        return f"about {month:.2f} USD a month" if month < 1 else f"about {month:.0f} USD a month"
    if rate := _RATES.get(kind):
        return f"{rate:.2f} USD per GB and month" if rate >= 0.1 else f"{rate:.3f} USD per GB and month"
    return "its volume, per GB and month" if kind == "AWS::SageMaker::NotebookInstance" else ""
