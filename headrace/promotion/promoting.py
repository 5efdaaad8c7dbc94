"""Promotes a version: brings what it needs, makes it, and sees that it has arrived as it was."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from headrace.contract import VersionFact
from headrace.pipeline.archives import stamp_archive
from headrace.pipeline.versions import Registry, Version
from headrace.promotion.errors import PromotionError
from headrace.promotion.planning import Plan
from headrace.promotion.sites import Site
from headrace.s3.addresses import S3Address

_UNFINISHED: Final = ("Pending", "InProgress")
_COMPLETED: Final = "Completed"
_POLL_SECONDS: Final = 2.0
_MOST_SECONDS: Final = 600

Report = Callable[[str], AbstractContextManager[Any]]


def find_promoted(plan: Plan, target: Site) -> Version | None:
    """The version that an earlier promotion of the same version has made or begun to make, if it has."""
    archive = plan.request["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    sagemaker = target.client("sagemaker")
    for version in Registry(target.group, sagemaker, with_endpoints=False).list_versions():
        if version.facts.get(VersionFact.ORIGIN) != plan.version.arn:
            continue
        described = sagemaker.describe_model_package(ModelPackageName=version.arn)
        if described["ModelPackageStatus"] not in (_COMPLETED, *_UNFINISHED):
            continue
        if described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == archive:
            return version
    return None


def promote(plan: Plan, target: Site, report: Report) -> Version:
    """Promote a version; what is there already is not brought again.

    Args:
        plan: What to do.
        target: Where the version is to go.
        report: Says what is done while it is.

    Returns:
        The version, as it is in the target.

    Raises:
        PromotionError: If something that it needs cannot be brought, or it is not the same there.
    """
    for step in plan.steps:
        if not step.is_done:
            with report(f"copy {step.kind} to {step.target}"):
                step.do()
    sagemaker = target.client("sagemaker")
    promoted = find_promoted(plan, target)
    arn = promoted.arn if promoted else _make(plan, target)
    _compare(plan, _wait_until_made(sagemaker, arn))
    return Registry(target.group, sagemaker, with_endpoints=False).find(arn)


def _make(plan: Plan, target: Site) -> str:
    """Make the version, which notes which archive it is made of, as those of executions do."""
    (container, *_) = plan.request["InferenceSpecification"]["Containers"]
    archive = S3Address.parse_uri(container["ModelDataUrl"])
    found = target.client("s3").head_object(Bucket=archive.bucket, Key=archive.key)
    known = {**plan.request["CustomerMetadataProperties"], str(VersionFact.ARCHIVE): stamp_archive(found)}
    request = {**plan.request, "CustomerMetadataProperties": known}
    return str(target.client("sagemaker").create_model_package(**request)["ModelPackageArn"])


def _wait_until_made(sagemaker: Any, arn: str) -> Mapping[str, Any]:
    """The version, as SageMaker describes it at the end."""
    deadline = time.monotonic() + _MOST_SECONDS
    while True:
        described: Mapping[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
        status = described["ModelPackageStatus"]
        if status == _COMPLETED:
            return described
        if status not in _UNFINISHED:
            raise PromotionError(f"{arn} is {status}; promote again to make another")
        if time.monotonic() >= deadline:
            raise PromotionError(f"{arn} is still {status}; promote again to go on waiting")
        time.sleep(_POLL_SECONDS)


def _compare(plan: Plan, described: Mapping[str, Any]) -> None:
    """See that the version has the container images of the original, by their digests.

    An earlier promotion may have brought them to another repository.
    """
    wanted = set(plan.digests.values())
    for container in described["InferenceSpecification"]["Containers"]:
        digest = container.get("ImageDigest", "unknown")
        if digest not in wanted:
            raise PromotionError(
                f"{described['ModelPackageArn']} has {container['Image']} as {digest}, and the original is "
                f"{', '.join(sorted(wanted))}: do not approve it"
            )
