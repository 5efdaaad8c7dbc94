"""Which container images a workload's steps run: the digest of what a tag stands for."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

# Instead of a digest.
UNKNOWN: Final = "unknown"

_URI: Final = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.]+/([^:@]+):([^:@]+)")

# Makes a client of ECR for a Region.
EcrOf = Callable[[str], Any]


class ContainerImageError(Exception):
    """A container image that is not what the infrastructure agreed on."""


def find_digests(uris: Mapping[str, str], ecr_of: EcrOf) -> dict[str, str]:
    """The digest of each container image, by its name; `UNKNOWN` where it may not be looked up."""
    return {name: _find_digest(uri, ecr_of) for name, uri in uris.items()}


def describe(digests: Mapping[str, str]) -> str:
    """The container images in one line, as in `training@sha256:… inference@sha256:…`."""
    return " ".join(f"{name}@{digest}" for name, digest in digests.items())


def _find_digest(uri: str, ecr_of: EcrOf) -> str:
    named = _URI.fullmatch(uri)
    if not named:
        raise ContainerImageError(f"container image {uri!r} is not in a repository of ECR")
    account, region, repository, tag = named.groups()
    try:
        described = ecr_of(region).describe_images(
            registryId=account, repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
    except ClientError as error:
        # The keeper of another account's repository may let its container images be pulled and not described.
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return UNKNOWN
        raise
    return str(described["imageDetails"][0]["imageDigest"])
