"""Finds what deleted stacks have kept, for the next ones to take over with `cdk import` rather than start empty."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headrace.changes.kinds import list_replacing
from headrace.deletion.assembly import PlannedStack, write_variant
from headrace.deletion.clients import make_client
from headrace.deletion.data import BUCKET, EFS, KEY, LOG_GROUP, MODEL_PACKAGE_GROUP, REPOSITORY, is_there
from headrace.deletion.kept import RESOURCE_TAG, STACK_TAG, list_kept, list_tagged, read_id
from headrace.deletion.standing import GONE, list_uses

# What `cdk import` takes over, and the property that names it there.
IDENTIFIERS: Final = {
    REPOSITORY: "RepositoryName",
    EFS: "FileSystemId",
    KEY: "KeyId",
    LOG_GROUP: "LogGroupName",
    BUCKET: "BucketName",
    MODEL_PACKAGE_GROUP: "ModelPackageGroupArn",
}
# The app as imports declare it.
_BARE: Final = "assembly"
# A stack of which nothing but a change set is there.
_NOT_YET: Final = "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Adoption:
    """What a stack can take over.

    Args:
        stack: The stack.
        stands: Whether it is deployed already.
        found: What each of its resources can be, by logical id.
        passed_over: What an earlier stack of the same name has kept as well: no resource is left for it.
    """

    stack: PlannedStack
    stands: bool
    found: Mapping[str, str]
    passed_over: tuple[str, ...]

    @property
    def bare(self) -> dict[str, dict[str, Any]]:
        """What is taken over as an import declares it: with what cannot be changed, and nothing else.

        CloudFormation compares nothing at an import. What it has not been told of, the next deployment sets.
        """
        return {name: _strip(self.stack.resources[name]) for name in self.found}

    @property
    def mapping(self) -> dict[str, dict[str, str]]:
        """The resource mapping that `cdk import` reads."""
        return {name: {IDENTIFIERS[self.stack.resources[name]["Type"]]: known} for name, known in self.found.items()}


def find_adoptions(stacks: Sequence[PlannedStack]) -> list[Adoption]:
    """What the stacks of an app can take over, in the order in which they are deployed; only reads."""
    past = _Past([stack.name for stack in stacks])
    return [past.find(stack) for stack in stacks]


def list_commands(adoptions: Sequence[Adoption], assembly: Path, folder: Path) -> Iterator[list[str]]:
    """The commands that take everything over and deploy the rest, in their order.

    An import adds only what is taken over, and no outputs. Where what another stack takes over needs one, the stack
    that has it is deployed before.

    Args:
        adoptions: What there is to take over.
        assembly: The synthesized app.
        folder: Where `write_imports` has written.
    """
    app, bare = ["--app", str(assembly)], ["--app", str(folder / _BARE)]
    owners = {export: adoption.stack.id for adoption in adoptions for export in adoption.stack.exports}
    deployed: list[str] = []
    for adoption in (adoption for adoption in adoptions if adoption.found):
        uses = list_uses(adoption.bare)
        for used in sorted({owners[name] for name in uses if name in owners} - {*deployed}):
            yield ["cdk", "deploy", used, *app]
            deployed.append(used)
        mapping = ["--resource-mapping", str(locate_mapping(folder, adoption))]
        # Without it, other changes that wait for the next deployment are a question.
        yield ["cdk", "import", adoption.stack.id, *bare, *mapping, *(["--force"] if adoption.stands else [])]
    yield ["cdk", "deploy", "--all", *app]


def write_imports(adoptions: Sequence[Adoption], assembly: Path, folder: Path) -> None:
    """Write what `cdk import` reads: a resource mapping for each stack that takes something over, and the app.

    Args:
        adoptions: What there is to take over.
        assembly: The synthesized app, which the one for imports leads to for all that they have in common.
        folder: Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taking = [adoption for adoption in adoptions if adoption.found]
    for adoption in taking:
        locate_mapping(folder, adoption).write_text(json.dumps(adoption.mapping, indent=2) + "\n")
    write_variant(assembly, {adoption.stack.id: adoption.bare for adoption in taking}, folder / _BARE)


def locate_mapping(folder: Path, adoption: Adoption) -> Path:
    """The file of a stack's resource mapping."""
    return folder / f"{adoption.stack.id}.json"


def _strip(resource: Mapping[str, Any]) -> dict[str, Any]:
    kept = {path.split("/")[2] for path in list_replacing(resource["Type"])}
    properties = {name: value for name, value in resource.get("Properties", {}).items() if name in kept}
    policies = {name: resource[name] for name in ("DeletionPolicy", "UpdateReplacePolicy") if name in resource}
    return {"Type": resource["Type"], "Properties": properties, **policies}


class _Past:
    """What an account knows of the stacks of some names.

    Args:
        names: What CloudFormation calls them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._cloudformation = make_client("cloudformation")
        self._histories, self._standing = _list_stacks(self._cloudformation, names)
        self._tagged = _find_tagged(names)

    def find(self, stack: PlannedStack) -> Adoption:
        """What a stack can take over."""
        stands = stack.name in self._standing
        taken = _list_resources(self._cloudformation, self._standing[stack.name]) if stands else {}
        wanted = {
            name: resource for name, resource in stack.resources.items() if is_adoptable(resource) and name not in taken
        }
        free = self._list_free(stack, wanted, taken.values()) if wanted else {}
        found = {name: ids[0] for name, ids in free.items() if ids}
        return Adoption(stack, stands, found, tuple(known for ids in free.values() for known in ids[1:]))

    def _list_free(
        self, stack: PlannedStack, wanted: Mapping[str, Mapping[str, Any]], taken: Collection[str]
    ) -> dict[str, list[str]]:
        """What is still there for each resource and belongs to no stack, the latest first."""
        kept = [list_kept(self._cloudformation, past) for past in self._histories.get(stack.name, [])]
        free: dict[str, list[str]] = {}
        for name, resource in wanted.items():
            known = [
                *_name_itself(resource),
                *(earlier[name].id for earlier in kept if name in earlier),
                *self._tagged.get((stack.name, name), []),
            ]
            free[name] = [
                each for each in dict.fromkeys(known) if each not in taken and is_there(resource["Type"], each)
            ]
        return free


def is_adoptable(resource: Mapping[str, Any]) -> bool:
    """Whether a resource outlives its stack, and a later stack looks for it."""
    if resource["Type"] not in IDENTIFIERS or not str(resource.get("DeletionPolicy")).startswith("Retain"):
        return False
    # Logs of an earlier stack stay what they are, under their own name.
    return resource["Type"] != LOG_GROUP or bool(_name_itself(resource))


def _name_itself(resource: Mapping[str, Any]) -> list[str]:
    """The name that a template gives a resource, which is then the same in every stack."""
    name = resource.get("Properties", {}).get(IDENTIFIERS[resource["Type"]])
    return [name] if isinstance(name, str) else []


def _list_stacks(cloudformation: Any, names: Collection[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The ids of the stacks there are and were of some names, the latest first, and of those that stand.

    CloudFormation knows of deleted stacks for ninety days.
    """
    found = [
        stack
        for page in cloudformation.get_paginator("list_stacks").paginate()
        for stack in page["StackSummaries"]
        if stack["StackName"] in names and stack["StackStatus"] != _NOT_YET
    ]
    histories: dict[str, list[str]] = {}
    for stack in sorted(found, key=lambda stack: stack["CreationTime"], reverse=True):
        histories.setdefault(stack["StackName"], []).append(stack["StackId"])
    return histories, {stack["StackName"]: stack["StackId"] for stack in found if stack["StackStatus"] != GONE}


def _list_resources(cloudformation: Any, stack_id: str) -> dict[str, str]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] != GONE
    }


def _find_tagged(names: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """What bears the tags of stacks, which stay when a stack is gone, by stack and logical id."""
    found: dict[tuple[str, str], list[str]] = {}
    for arn, tags in list_tagged([{"Key": STACK_TAG, "Values": list(names)}]):
        found.setdefault((tags[STACK_TAG], tags.get(RESOURCE_TAG, "")), []).append(read_id(arn))
    return found
