"""What a promotion has to do: looked up, not done."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headrace import contract
from headrace.contract import HYPERPARAMETER_FACT, MOST_FACTS_MADE, RECORD_FOLDER, SERVED_AT_FACT, VersionFact
from headrace.pipeline.archives import stamp_archive
from headrace.pipeline.specifications import find_alterations
from headrace.pipeline.versions import APPROVED, Version, find_version_at
from headrace.promotion.errors import PromotionError
from headrace.promotion.objects import Copier, Copy
from headrace.promotion.repositories import check_platform
from headrace.promotion.sites import Site
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE, LISTS_FOLDER, PROFILE_FILE
from headrace.s3.addresses import S3Address

_PENDING: Final = "PendingManualApproval"
# What is true of one environment only, of a container and of a version.
_OF_THE_SOURCE: Final = frozenset({"ImageDigest", "ModelDataETag", "ModelDataSource"})
_LEFT_BEHIND: Final = frozenset(
    {
        VersionFact.ARCHIVE,
        VersionFact.CONTAINER_IMAGE,
        VersionFact.SERVED,
        VersionFact.TRANSFORMED,
        VersionFact.PARENT,
        VersionFact.RECORD,
    }
)
# The files of a record, which `lambdas/registrar` writes.
_RECORDED: Final = re.compile(
    "|".join((*map(re.escape, (EVALUATION_FILE, INPUTS_FILE, PROFILE_FILE)), f"{LISTS_FOLDER}/.+")), re.DOTALL
)


@dataclass(frozen=True)
class Step:
    """Something that is to be in the target.

    Args:
        kind: What it is: `container image`, `archive`, `record`, `golden requests`.
        source: Where it is.
        target: Where it is to be.
        is_done: Whether it is there.
        do: Brings it there.
        note: What else to say of it.
    """

    kind: str
    source: str
    target: str
    is_done: bool
    do: Callable[[], None] = field(repr=False, compare=False)
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """A promotion.

    Args:
        version: The version.
        steps: What the new version needs.
        request: CreateModelPackage's request for it.
        digests: The digest of each of its container images, by where it is to be.
    """

    version: Version
    steps: tuple[Step, ...]
    request: Mapping[str, Any]
    digests: Mapping[str, str]


def plan_promotion(source: Site, target: Site, version: Version) -> Plan:
    """What promoting a version has to do.

    Args:
        source: Where the version is.
        target: Where it is to go.
        version: The version.

    Raises:
        PromotionError: If it is not approved or not what it was registered as, something that it needs is not there or
            not the source's, the target is not deployed, or has another container image under the tag of the copy.
    """
    if version.status != APPROVED:
        raise PromotionError(
            f"version {version.number} of {source.group} is {version.status}; only an approved version is promoted"
        )
    described = source.client("sagemaker").describe_model_package(ModelPackageName=version.arn)
    specification = described["InferenceSpecification"]
    _check_specification(version, specification)
    place = _name_place(source, target, version)
    copier = Copier(source.client("s3"), target.client("s3"))
    _check_archive(version, specification["Containers"][0], copier)
    images = [_plan_image(source, target, container) for container in specification["Containers"]]
    archives = [
        _plan_archive(source, container, place, number, "" if number else version.facts.get(VersionFact.ARCHIVE, ""))
        for number, container in enumerate(specification["Containers"])
    ]
    record = list(_plan_record(source, version, place, copier))
    golden = list(copier.list_folder(source.golden_requests, target.golden_requests))
    containers = [
        {**_leave_out(container, _OF_THE_SOURCE), "Image": image.target, "ModelDataUrl": str(archive.target)}
        for container, (image, _), archive in zip(specification["Containers"], images, archives, strict=True)
    ]
    request = {
        "ModelPackageGroupName": target.group,
        "ModelPackageDescription": f"Promoted from {version.arn}",
        "InferenceSpecification": {**specification, "Containers": containers},
        "ModelApprovalStatus": _PENDING,
        "CustomerMetadataProperties": _carry_facts(
            version, target, containers[0]["Image"], place.join(RECORD_FOLDER) if record else None
        ),
    }
    steps = (
        *(step for step, _ in images),
        *(_plan_object("archive", copy, copier) for copy in archives),
        *(_plan_object("record", copy, copier) for copy in record),
        *(_plan_golden(copy, copier) for copy in golden),
    )
    return Plan(version, steps, request, {step.target: digest for step, digest in images})


def _check_specification(version: Version, specification: Mapping[str, Any]) -> None:
    """See that it consists of what it was registered with."""
    if altered := find_alterations(specification, version.facts):
        raise PromotionError(
            f"version {version.number} is not what it was registered as: {'; '.join(altered)}. Give it back what it "
            "had, or make another version"
        )


def _check_archive(version: Version, container: Mapping[str, Any], copier: Copier) -> None:
    """See that what was approved is what would be copied; early versions do not note their archives."""
    noted = version.facts.get(VersionFact.ARCHIVE)
    if noted and noted != (found := stamp_archive(copier.find_source(S3Address.parse_uri(container["ModelDataUrl"])))):
        raise PromotionError(
            f"the archive of version {version.number}, {container['ModelDataUrl']}, has changed since the version was "
            f"made: S3 called it {noted}, and calls it {found} now. Delete what was written over it, or make another "
            "version of it"
        )


def _name_place(source: Site, target: Site, version: Version) -> S3Address:
    """Where the target keeps what it has of a version: another place for another version of the same name."""
    name = hashlib.sha256(f"{version.arn} {version.created.isoformat()}".encode()).hexdigest()[:12]
    return target.promoted.join(f"{source.environment}-{version.number}-{name}/")


def _plan_image(source: Site, target: Site, container: Mapping[str, Any]) -> tuple[Step, str]:
    if container["Image"] == source.algorithm:
        raise PromotionError(
            f"{container['Image']} is SageMaker's own container image of a built-in algorithm, which AWS has in each "
            f"Region: there is none to copy. Copy the archive, {container['ModelDataUrl']}, below "
            f"{contract.ARCHIVES_PREFIX}{target.recipe.name}/ of the raw bucket of '{target.environment}', and give it "
            "to an execution there as ModelDataUrl"
        )
    repository, tag = source.parse_uri(container["Image"])
    there = target.find_repository(source.find_container(repository))
    manifest = repository.find(tag=tag)
    given = container.get("ImageDigest", "the version names it")
    if manifest is None:
        raise PromotionError(
            f"{container['Image']} is not there any more as {given}: "
            "the repository keeps as many as registry.container_images_kept says"
        )
    # Who approves may write another digest, and tags never move.
    if manifest.digest != given:
        raise PromotionError(
            f"{container['Image']} is {manifest.digest}, and the version says {given}: give it back its own "
            "ImageDigest, or make another version"
        )
    check_platform(repository, manifest)
    tag = _name_copy(tag, manifest.digest)
    present = there.find(tag=tag)
    if present and present.digest != manifest.digest:
        raise PromotionError(
            f"{there.uri}:{tag} is {present.digest}, and no copy of {manifest.digest} as its name says: tags never move"
        )
    step = Step(
        "container image",
        f"{repository.uri}@{manifest.digest}",
        f"{there.uri}:{tag}",
        present is not None,
        lambda: there.copy_from(repository, manifest, tag),
    )
    return step, manifest.digest


def _name_copy(tag: str, digest: str) -> str:
    """The tag of a copy: the target may have built the same files, which gives another digest."""
    mark = f"-{digest.removeprefix('sha256:')[:12]}"
    return tag.removesuffix(mark) + mark


def _plan_archive(source: Site, container: Mapping[str, Any], place: S3Address, number: int, stamp: str) -> Copy:
    archive = S3Address.parse_uri(container["ModelDataUrl"])
    _check_kept(source, archive)
    folder = place.join(f"{number}/") if number else place
    return Copy(archive, folder.join(archive.name), stamp)


def _plan_record(source: Site, version: Version, place: S3Address, copier: Copier) -> Iterator[Copy]:
    if record := version.facts.get(VersionFact.RECORD, ""):
        folder = S3Address.parse(record).as_folder()
        _check_kept(source, folder)
        for copy in copier.list_folder(folder, place.join(RECORD_FOLDER)):
            if _RECORDED.fullmatch(copy.source.key.removeprefix(folder.key)):
                yield copy


def _check_kept(source: Site, address: S3Address) -> None:
    """What a version says of itself does not make the promoter copy anything else that they may read."""
    if not any(place.contains(address) for place in source.kept):
        raise PromotionError(
            f"{address} is no place of an archive or a record of '{source.environment}'; they are below "
            f"{' or '.join(map(str, source.kept))}"
        )


def _plan_object(kind: str, copy: Copy, copier: Copier) -> Step:
    return Step(kind, str(copy.source), str(copy.target), copier.is_there(copy), lambda: copier.copy(copy))


def _plan_golden(copy: Copy, copier: Copier) -> Step:
    """Golden requests that somebody has put there stay; what an earlier promotion brought follows the source."""
    is_taken = copier.is_taken(copy)
    return Step(
        "golden requests",
        str(copy.source),
        str(copy.target),
        is_taken or copier.is_there(copy),
        lambda: copier.copy(copy, replaces=True),
        "others are there, and stay" if is_taken else "",
    )


def _carry_facts(version: Version, target: Site, image: str, record: S3Address | None) -> dict[str, str]:
    served = [name for name in version.facts if name.startswith(SERVED_AT_FACT)]
    facts = _leave_out(version.facts, {*_LEFT_BEHIND, *served})
    serving = find_version_at(target.client("sagemaker"), target.endpoint)
    facts |= {
        VersionFact.ENDPOINT: target.endpoint,
        VersionFact.ORIGIN: version.arn,
        VersionFact.CONTAINER_IMAGE: image,
        # It serves once somebody has approved it here.
        VersionFact.APPROVAL: "human",
        **({VersionFact.PARENT: serving} if serving else {}),
        **({VersionFact.RECORD: str(record)} if record else {}),
    }
    return _cut(facts)


def _cut(facts: Mapping[str, str]) -> dict[str, str]:
    """As many as SageMaker takes, with its archive: hyperparameters are left out, the last first."""
    spare: Sequence[str] = sorted(name for name in facts if name.startswith(HYPERPARAMETER_FACT))
    most = MOST_FACTS_MADE - 1
    left_out = set(spare[len(spare) - (len(facts) - most) :]) if len(facts) > most else set()
    return {str(name): value for name, value in _leave_out(facts, left_out).items()}


def _leave_out(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
