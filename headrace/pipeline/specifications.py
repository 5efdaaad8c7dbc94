"""Whether a version still consists of what it was registered with; standard library only.

Who approves may also update a version's `InferenceSpecification`, for which IAM has no condition key. The state machine
asks the same (`stacks/pipeline/specifications.py`; docs/decisions/0067-a-version-stays-what-it-was.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.contract import VersionFact

# What decides what runs, besides the container image and the archive; no version that an execution makes has any of it.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelPackageContainerDefinition.html
NEVER_GIVEN: Final = (
    "AdditionalModelDataSources",
    "AdditionalS3DataSource",
    "BaseModel",
    "Environment",
    "IsCheckpoint",
    "ProductId",
)
# What is compared, in ways of its own.
COMPARED: Final = ("Image", "ModelDataSource", "ModelDataUrl")
# What SageMaker adds, and what only describes: it changes nothing of what an endpoint runs.
WITHOUT_EFFECT: Final = (
    "ContainerHostname",
    "Framework",
    "FrameworkVersion",
    "ImageDigest",
    "ModelDataETag",
    "ModelInput",
    "NearestModelName",
)


def find_alterations(specification: Mapping[str, Any], facts: Mapping[str, str], archive: str = "") -> list[str]:
    """In what a version is not what it was registered with, each in words; nothing if it is.

    Args:
        specification: Its `InferenceSpecification`, as DescribeModelPackage answers it.
        facts: Its `CustomerMetadataProperties`.
        archive: The address of its archive, where that is known.

    Example:
        >>> find_alterations({"Containers": [{"Image": "a:1", "Environment": {"DEBUG": "1"}}]}, {})
        ['it has Environment']
    """
    return list(_find(specification["Containers"], facts.get(VersionFact.CONTAINER_IMAGE), archive))


def _find(containers: list[Mapping[str, Any]], image: str | None, archive: str) -> Iterator[str]:
    if len(containers) != 1:
        yield f"it has {len(containers)} containers"
    container = containers[0]
    if image is not None and image != (found := container.get("Image", "none")):
        yield f"its container image was {image} and is {found}"
    if archive and archive != (found := container.get("ModelDataUrl", "none")):
        yield f"its archive was {archive} and is {found}"
    if given := [*(name for name in NEVER_GIVEN if container.get(name)), *_name_other_source(container)]:
        yield f"it has {', '.join(given)}"


def _name_other_source(container: Mapping[str, Any]) -> Iterator[str]:
    """`ModelDataSource`, unless it says what `ModelDataUrl` does, as SageMaker may write it out."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    said = {"S3Uri": container.get("ModelDataUrl"), "S3DataType": "S3Object", "CompressionType": "Gzip"}
    if source and ("ManifestS3Uri" in source or {name: source.get(name) for name in said} != said):
        yield "ModelDataSource"
