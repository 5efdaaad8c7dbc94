"""What stands in people's accounts, and what a deployment of today's templates over it would lose."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.conftest import PROJECT

ASSEMBLIES = PROJECT / "tests" / "assemblies"
REPLACING = ASSEMBLIES / "replacing-properties.json"

Template = Mapping[str, Any]
# A stack's id and a resource's logical id.
Name = tuple[str, str]

# Kinds of which replacing the first by a second loses something, and what.
KEPT_KINDS: Mapping[str, str] = {
    "AWS::S3::Bucket": "objects",
    "AWS::KMS::Key": "the only way to read what it encrypted",
    "AWS::EFS::FileSystem": "files",
    "AWS::EFS::AccessPoint": "the id by which people mount",
    "AWS::EFS::MountTarget": "the deployment: a subnet takes one, and the new one comes before the old one goes",
    "AWS::FSx::FileSystem": "files",
    "AWS::FSx::DataRepositoryAssociation": "what was not yet exported to the bucket",
    "AWS::ECR::Repository": "container images",
    "AWS::Logs::LogGroup": "logs",
    "AWS::SageMaker::NotebookInstance": "what people wrote on its volume",
    "AWS::StepFunctions::StateMachine": "the history of its executions",
}

# CloudFormation's reference says of these that an update replaces; the schema of the kind does not.
UNDECLARED: Mapping[str, tuple[str, ...]] = {
    "AWS::FSx::FileSystem": (
        "/properties/StorageType",
        "/properties/LustreConfiguration/DeploymentType",
        "/properties/LustreConfiguration/DriveCacheType",
        "/properties/LustreConfiguration/ExportPath",
        "/properties/LustreConfiguration/ImportPath",
        "/properties/LustreConfiguration/ImportedFileChunkSize",
    ),
}

# From what destroys most to what keeps all.
POLICIES = ("Delete", "RetainExceptOnCreate", "Snapshot", "Retain")


@dataclass(frozen=True)
class Assembly:
    """The templates of an environment by stack id, and the names that the stacks have in the account."""

    stack_names: Mapping[str, str]
    templates: Mapping[str, Template]

    def resource(self, name: Name) -> Mapping[str, Any]:
        """A resource, empty if there is none of that name."""
        stack, logical_id = name
        found: Mapping[str, Any] = self.templates.get(stack, {"Resources": {}})["Resources"].get(logical_id, {})
        return found

    def referred(self, stack: str, value: Any) -> Iterator[Name]:
        """The resources that a value names, in its own stack or through another's export."""
        if isinstance(value, list):
            for entry in value:
                yield from self.referred(stack, entry)
        elif isinstance(value, dict):
            if "Ref" in value:
                yield stack, value["Ref"]
            elif "Fn::GetAtt" in value:
                yield stack, value["Fn::GetAtt"][0]
            elif "Fn::ImportValue" in value:
                yield from self.referred(*self.exported(value["Fn::ImportValue"]))
            else:
                yield from self.referred(stack, list(value.values()))

    def exported(self, export: str) -> tuple[str, Any]:
        """The stack and the value behind an export."""
        return next(
            (stack, output["Value"])
            for stack, template in self.templates.items()
            for output in template.get("Outputs", {}).values()
            if output.get("Export", {}).get("Name") == export
        )

    def resolve(self, stack: str, value: Any) -> Any:
        """A value with what it names spelt as stack and resource, whichever way it reaches them."""
        if isinstance(value, list):
            return [self.resolve(stack, entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if "Fn::ImportValue" in value:
            return self.resolve(*self.exported(value["Fn::ImportValue"]))
        spelt = {key: self.resolve(stack, entry) for key, entry in value.items()}
        return {"of": stack, **spelt} if {"Ref", "Fn::GetAtt"} & value.keys() else spelt


def read_assembly(environment: str) -> Assembly:
    """The assembly that was kept of an environment."""
    folder = ASSEMBLIES / environment
    names = json.loads((folder / "stacks.json").read_text())
    return Assembly(names, {stack: json.loads((folder / f"{stack}.json").read_text()) for stack in names})


@cache
def replacing_properties() -> Mapping[str, tuple[str, ...]]:
    """The paths whose change replaces a resource, by kind."""
    declared = json.loads(REPLACING.read_text())
    return {kind: (*paths, *UNDECLARED.get(kind, ())) for kind, paths in declared.items()}


def read_property(resource: Mapping[str, Any], path: str) -> Any:
    """The value at `/properties/A/B` of a resource, None if it is not set."""
    value: Any = resource.get("Properties", {})
    for key in path.removeprefix("/properties/").split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def list_kept(kept: Assembly) -> set[Name]:
    """What must not be replaced: what would lose something, and what those name in a property that replaces them."""
    found = {
        (stack, logical_id)
        for stack, template in kept.templates.items()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in KEPT_KINDS
    }
    waiting = list(found)
    while waiting:
        stack, logical_id = waiting.pop()
        resource = kept.resource((stack, logical_id))
        for path in replacing_properties()[resource["Type"]]:
            named = {
                name for name in kept.referred(stack, read_property(resource, path)) if kept.resource(name)
            } - found
            found |= named
            waiting += named
    return found


def list_losses(kept: Assembly, now: Assembly) -> list[str]:
    """A line for everything that deploying `now` over `kept` would replace, delete, or guard less."""
    renamed = [
        f"{stack}: the stack was {name}, is {now.stack_names.get(stack)}"
        for stack, name in kept.stack_names.items()
        if now.stack_names.get(stack) != name
    ]
    return renamed + [loss for name in sorted(list_kept(kept)) for loss in _list_losses_of(name, kept, now)]


def _list_losses_of(name: Name, kept: Assembly, now: Assembly) -> Iterator[str]:
    before, after, label = kept.resource(name), now.resource(name), "/".join(name)
    if not after:
        yield f"{label}: is gone"
        return
    if before["Type"] != after["Type"]:
        yield f"{label}: was {before['Type']}, is {after['Type']}"
        return
    for path in replacing_properties()[before["Type"]]:
        old, new = (side.resolve(name[0], read_property(side.resource(name), path)) for side in (kept, now))
        if old != new:
            yield f"{label}: {path} was {json.dumps(old)}, is {json.dumps(new)}"
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        old, new = before.get(policy, "Delete"), after.get(policy, "Delete")
        if POLICIES.index(new) < POLICIES.index(old):
            yield f"{label}: {policy} was {old}, is {new}"
