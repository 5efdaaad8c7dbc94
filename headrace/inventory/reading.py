"""What templates will make, and what stacks have made."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headrace.assemblies import Assembly, read_deployed, read_folder
from headrace.assemblies.assembly import list_resources
from headrace.inventory.items import Item, Maker
from headrace.inventory.settling import Settled

_GONE = "DELETE_COMPLETE"


def read_assembly(folder: Path) -> list[Item]:
    """What the templates in a folder will make.

    Args:
        folder: What `cdk synth` wrote, or a folder of templates.

    Raises:
        AssemblyError: If there are none, or one is not a template.
    """
    return list(list_items(read_folder(folder)))


def list_items(assembly: Assembly) -> Iterator[Item]:
    """What some templates will make."""
    for stack, template in assembly.templates.items():
        settled = Settled(template)
        for logical_id, resource in list_resources(template).items():
            if settled.has(resource):
                yield _read_resource(assembly.stack_names[stack], logical_id, settled.settle(resource))


def read_stacks(session: Any, environment: str) -> list[Item]:
    """What the stacks of an environment have made, also those that failed to be made or to be deleted.

    Args:
        session: boto3's, which leads to the account and the Region; nothing but reading is asked of it.
        environment: Which environment.
    """
    cloudformation = session.client("cloudformation")
    assembly = read_deployed(cloudformation, environment, {})
    return [item for stack in assembly.templates for item in _list_made(cloudformation, assembly, stack)]


def _list_made(cloudformation: Any, assembly: Assembly, stack: str) -> Iterator[Item]:
    declared = list_resources(assembly.templates[stack])
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=assembly.stack_names[stack]):
        for made in page["StackResourceSummaries"]:
            if made["ResourceStatus"] == _GONE or not made.get("PhysicalResourceId"):
                continue
            logical_id = made["LogicalResourceId"]
            resource = {**declared.get(logical_id, {}), "Type": made["ResourceType"]}
            yield _read_resource(assembly.stack_names[stack], logical_id, resource, made["PhysicalResourceId"])


def _read_resource(stack: str, logical_id: str, resource: Mapping[str, Any], physical_id: str | None = None) -> Item:
    properties = resource.get("Properties", {})
    return Item(
        kind=resource["Type"],
        name=physical_id or logical_id,
        maker=Maker.STACK if physical_id else Maker.TEMPLATE,
        stack=stack,
        logical_id=logical_id,
        properties=properties,
        tags=_read_tags(properties),
        policy=str(resource.get("DeletionPolicy", "Delete")),
    )


def _read_tags(properties: Mapping[str, Any]) -> Mapping[str, str]:
    tags = properties.get("Tags", properties.get("FileSystemTags", []))
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags if isinstance(tag, Mapping) and "Value" in tag}
