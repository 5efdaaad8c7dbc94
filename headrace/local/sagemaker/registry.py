"""What versions of models are called, and what the registry demands of those that it takes."""

from collections.abc import Mapping
from typing import Any, Final

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import Host

APPROVED: Final = "Approved"
PENDING: Final = "PendingManualApproval"
MOST_PROPERTIES: Final = 50
_UNSERVED: Final = (
    "AdditionalInferenceSpecifications",
    "AdditionalInferenceSpecificationsToAdd",
    "ManagedStorageType",
    "ModelCard",
    "ModelLifeCycle",
    "SecurityConfig",
    "SourceAlgorithmSpecification",
    "SourceUri",
    "ValidationSpecification",
)


def read_name(host: Host, kind: str, given: str) -> str:
    """The name of what a request names by its name or its ARN; raises RequestRefusedError for others' ARNs."""
    if not given.startswith("arn:"):
        return given
    name = given.partition("/")[2]
    if given.lower() != host.arn(kind, name):
        raise RequestRefusedError(f"{kind} {given} does not exist.")
    return name


def check_model_package(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a version that SageMaker or this machine would not take."""
    check_served(request)
    if "ModelPackageName" in request and "ModelPackageGroupName" in request:
        raise RequestRefusedError(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to "
            "use."
        )
    if "ModelPackageGroupName" not in request:
        raise RequestRefusedError(
            "Model packages without versions are not served by the local cloud; give ModelPackageGroupName."
        )
    if request.get("Tags"):
        raise RequestRefusedError(
            "Tags cannot be given to a version of a model package group, which has those of its group."
        )
    if request.get("CertifyForMarketplace"):
        raise RequestRefusedError("CertifyForMarketplace is not served by the local cloud.")
    if "InferenceSpecification" not in request:
        raise RequestRefusedError("A version needs an InferenceSpecification to be served by the local cloud.")
    check_specification(request["InferenceSpecification"])


def check_served(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for members of a request that do nothing here."""
    for name in _UNSERVED:
        if name in request:
            raise RequestRefusedError(f"{name} is not served by the local cloud.")


def check_specification(specification: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError unless a version consists of one container image."""
    containers = specification["Containers"]
    if len(containers) != 1:
        raise RequestRefusedError(
            "Give exactly one container; inference pipelines are not served by the local cloud yet."
        )
    if "Image" not in containers[0]:
        raise RequestRefusedError("The container needs an Image to be served by the local cloud.")
    if {"ModelDataUrl", "ModelDataSource"} <= containers[0].keys():
        raise RequestRefusedError("Give either ModelDataUrl or ModelDataSource, not both.")


def merge_properties(kept: Mapping[str, str], given: Mapping[str, str], removed: Any) -> dict[str, str]:
    """The customer's properties of a version after an update; raises RequestRefusedError for too many."""
    merged = {name: value for name, value in {**kept, **given}.items() if name not in removed}
    if len(merged) > MOST_PROPERTIES:
        raise RequestRefusedError(
            f"CustomerMetadataProperties would have {len(merged)} entries; a version can have {MOST_PROPERTIES}."
        )
    return merged
