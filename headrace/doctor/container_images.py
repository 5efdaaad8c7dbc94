"""Whether the container images that jobs and endpoints run are where SageMaker takes them from."""

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.doctor.account import Account, ContainerImage, Stack
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.needs import Needs


def list_container_images(needs: Needs, stacks: Mapping[str, Stack] | NotSeen) -> list[ContainerImage]:
    """The container images that stacks which stand use, and those that the app does, as far as they have an address.

    Repositories that a deployment makes have none before.
    """
    uris = {*_list_deployed(needs, stacks), *_list_planned(needs, stacks)}
    return [image for uri in sorted(uris) if (image := read_uri(uri))]


def read_uri(uri: str) -> ContainerImage | None:
    """The container image of a URI such as ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG."""
    host, _, path = uri.partition("/")
    repository, _, tag = path.rpartition(":")
    if ".dkr.ecr." not in host or not repository:
        return None
    return ContainerImage(uri, host.partition(".")[0], repository, tag)


def check_container_images(account: Account, needs: Needs, environment: str) -> Iterator[Finding]:
    """The container images that are missing."""
    deployed = _list_deployed(needs, account.stacks)
    verb = "local up" if account.identity.is_local else "containers push --build"
    cure = f"headrace {verb} --env {environment}"
    for image, answer in account.container_images.items():
        if isinstance(answer, NotSeen):
            yield not_seen(Check.CONTAINER_IMAGES, image.uri, answer.reason)
        elif answer is False and image.uri in deployed:
            problem = "the stacks that stand use this container image, and its repository does not have it"
            yield _complain(Severity.ERROR, image, problem, cure)
        elif answer is False:
            problem = "its repository does not have it; `make deploy` pushes it first, and `cdk deploy` does not"
            yield _complain(Severity.WARNING, image, problem, cure)


def needs_engine(account: Account | None, needs: Needs) -> bool | None:
    """Whether `make deploy` has container images to build; None where that is not known."""
    if not needs.list_container_images():
        return False
    if account is None or isinstance(account.stacks, NotSeen):
        return None
    unknown = len(needs.list_container_images()) > len(_list_planned(needs, account.stacks))
    return unknown or False in account.container_images.values()


def _complain(severity: Severity, image: ContainerImage, problem: str, cure: str) -> Finding:
    return Finding(check=Check.CONTAINER_IMAGES, severity=severity, place=image.uri, problem=problem, cure=cure)


def _list_deployed(needs: Needs, stacks: Mapping[str, Stack] | NotSeen) -> set[str]:
    planned = needs.list_container_images()
    return {uri for name, uri in _merge_outputs(stacks).items() if name in planned}


def _list_planned(needs: Needs, stacks: Mapping[str, Stack] | NotSeen) -> set[str]:
    """The URIs of the app: as it spells them, or else with the repositories that stand."""
    outputs = _merge_outputs(stacks)
    uris = set()
    for name, value in needs.list_container_images().items():
        if isinstance(value, str):
            uris.add(value)
        elif name in outputs and (tag := _find_tag(value)):
            uris.add(f"{outputs[name].rpartition(':')[0]}:{tag}")
    return uris


def _find_tag(value: Any) -> str:
    match value:
        case {"Fn::Join": [_, [*_, str(end)]]}:
            return end.rpartition(":")[2]
    return ""


def _merge_outputs(stacks: Mapping[str, Stack] | NotSeen) -> dict[str, str]:
    if isinstance(stacks, NotSeen):
        return {}
    return {name: value for stack in stacks.values() for name, value in stack.outputs.items()}
