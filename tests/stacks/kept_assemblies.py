"""What stands in people's accounts, and what a deployment of today's templates over it would lose."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from headrace.assemblies import Assembly, read_folder
from headrace.assemblies.assembly import Name, list_resources, read_property
from headrace.changes.kinds import ADDRESSES, HOLDS, MOUNT_TARGET, list_replacing
from tests.conftest import PROJECT

ASSEMBLIES = PROJECT / "tests" / "assemblies"

# Kinds of which replacing the first by a second loses something, and what.
KEPT_KINDS: Mapping[str, str] = {
    **HOLDS,
    "AWS::EFS::AccessPoint": ADDRESSES["AWS::EFS::AccessPoint"],
    MOUNT_TARGET: "the deployment: a subnet takes one, and the new one comes before the old one goes",
}

# How much each keeps of what stands. What a deployment makes that then fails belongs to no stack.
POLICIES: Mapping[str, int] = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}


def read_assembly(environment: str) -> Assembly:
    """The assembly that was kept of an environment."""
    return read_folder(ASSEMBLIES / environment)


def spell(assembly: Assembly, stack: str, value: Any) -> Any:
    """A value with what it names spelt as stack and resource, whichever way it reaches them."""
    if isinstance(value, list):
        return [spell(assembly, stack, entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if {"Fn::ImportValue", "Fn::GetStackOutput"} & value.keys():
        found = assembly.find_output(value)
        if found is None:
            raise LookupError(f"{stack}: {value} is nowhere")
        producer, output = found
        return spell(assembly, producer, assembly.templates[producer]["Outputs"][output]["Value"])
    spelt = {key: spell(assembly, stack, entry) for key, entry in value.items()}
    return {"of": stack, **spelt} if {"Ref", "Fn::GetAtt"} & value.keys() else spelt


def list_kept(kept: Assembly) -> set[Name]:
    """What must not be replaced: what would lose something, and what those name in a property that replaces them."""
    found = {
        (stack, logical_id)
        for stack, template in kept.templates.items()
        for logical_id, resource in list_resources(template).items()
        if resource["Type"] in KEPT_KINDS
    }
    waiting = list(found)
    while waiting:
        stack, logical_id = waiting.pop()
        resource = kept.resource((stack, logical_id))
        for path in list_replacing(resource["Type"]):
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
    for path in list_replacing(before["Type"]):
        old, new = (spell(side, name[0], read_property(side.resource(name), path)) for side in (kept, now))
        if old != new:
            yield f"{label}: {path} was {json.dumps(old)}, is {json.dumps(new)}"
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        old, new = before.get(policy, "Delete"), after.get(policy, "Delete")
        if POLICIES[new] < POLICIES[old]:
            yield f"{label}: {policy} was {old}, is {new}"
