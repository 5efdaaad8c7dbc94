"""Pushes container images to the repositories of the deployed stacks, or to any other registry."""

import base64
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from headrace.container_images import container_image_tag
from headrace.container_images.building import name_image
from headrace.container_images.engine import Engine, EngineError, EngineName
from headrace.recipes import ContainerImage

_MANIFESTS: Final = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_ANSWER_SECONDS: Final = 20


@dataclass(frozen=True)
class Target:
    """Where a container image goes."""

    registry: str
    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the registry speaks plain HTTP, as engines expect of the loopback interface."""
        return self.registry.rpartition(":")[0] in _LOOPBACK or self.registry in _LOOPBACK


def aim_at_registry(registry: str, container: ContainerImage) -> Target:
    """A container's place in a registry that is given by its host and an optional path."""
    host, _, path = registry.rstrip("/").partition("/")
    return Target(host, f"{path or 'headrace'}/{container}", container_image_tag(container))


def aim_at_stacks(outputs: Mapping[str, str], container: ContainerImage, environment: str) -> Target:
    """A container's repository as the deployed stacks name it, with the tag of the container's current files.

    Raises:
        EngineError: If no deployed stack has the repository.
    """
    uri = outputs.get(container.image_output)
    if uri is None:
        raise EngineError(
            f"no deployed stack of environment {environment} has a repository for {container}; deploy it first: "
            f"cdk deploy --context env={environment} Registry"
        )
    registry, _, path = uri.partition("/")
    return Target(registry, path.rpartition(":")[0], container_image_tag(container))


def push_container_image(engine: Engine, container: ContainerImage, target: Target) -> None:
    """Push a built image.

    Raises:
        EngineError: If it has not been built, or the registry refuses it.
    """
    if not engine.has_image(name_image(container)):
        raise EngineError(
            f"{container} has not been built from its current files; run 'headrace containers build' first"
        )
    engine.call(f"tagging {container}", ["tag", name_image(container), str(target)])
    engine.call(f"pushing {target}", ["push", *_list_push_options(engine, target), str(target)])


def _list_push_options(engine: Engine, target: Target) -> list[str]:
    if engine.name is EngineName.DOCKER:
        return []
    # The manifest that Docker pushes, which SageMaker is sure to take; podman's own builds are in OCI's format.
    options = ["--format", "v2s2"]
    # Docker takes registries on the loopback interface to speak plain HTTP; podman has an option for it.
    return [*options, "--tls-verify=false"] if target.is_on_this_machine else options


def is_in_registry(target: Target) -> bool:
    """Whether a registry has a tag; only one that answers without credentials is asked."""
    scheme = "http" if target.is_on_this_machine else "https"
    request = urllib.request.Request(  # noqa: S310 (one of two schemes)
        f"{scheme}://{target.registry}/v2/{target.repository}/manifests/{target.tag}",
        headers={"Accept": _MANIFESTS},
        method="HEAD",
    )
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED):
            return False
        raise EngineError(f"{target.registry} answers {error.code} {error.reason}") from error
    except OSError as error:
        raise EngineError(f"{target.registry} does not answer: {error}") from error


def is_in_ecr(ecr: Any, target: Target) -> bool:
    """Whether an ECR repository has a tag already, which then never changes."""
    try:
        account = target.registry.partition(".")[0]
        ecr.describe_images(registryId=account, repositoryName=target.repository, imageIds=[{"imageTag": target.tag}])
    except ecr.exceptions.ImageNotFoundException:
        return False
    return True


def log_in_to_ecr(engine: Engine, ecr: Any, registry: str) -> None:
    """Give the engine a token for the registry, good for twelve hours."""
    (authorization,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(authorization["authorizationToken"]).decode().partition(":")
    engine.call(
        f"logging in to {registry}", ["login", "--username", user, "--password-stdin", registry], stdin=password
    )
