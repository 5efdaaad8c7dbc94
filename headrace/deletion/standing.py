"""The stacks of an environment as they stand in the account, and the order in which they can go."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace import contract
from headrace.absence import is_absence
from headrace.deletion.clients import make_client

GONE: Final = "DELETE_COMPLETE"


@dataclass(frozen=True)
class Resource:
    """A resource of a stack.

    Args:
        logical_id: What its template calls it.
        kind: Its CloudFormation type.
        id: What the account calls it.
    """

    logical_id: str
    kind: str
    id: str


@dataclass(frozen=True, kw_only=True)
class StandingStack:
    """A stack that is deployed, or partly."""

    name: str
    id: str
    is_protected: bool
    outputs: Mapping[str, str]
    exports: frozenset[str]
    template: Mapping[str, Any]
    resources: tuple[Resource, ...]

    def keeps(self, resource: Resource) -> bool:
        """Whether a resource outlives the stack."""
        declared: Mapping[str, Any] = self.template.get("Resources", {}).get(resource.logical_id, {})
        return str(declared.get("DeletionPolicy", "Delete")).startswith("Retain")

    def list_ids(self, kind: str) -> list[str]:
        """What the account calls the resources of a type."""
        return [resource.id for resource in self.resources if resource.kind == kind and resource.id]


def find_stacks(environment: str) -> list[StandingStack]:
    """The stacks of an environment in the order in which they can be deleted: those that use others first."""
    standing, _ = split_stacks(environment)
    return standing


def split_stacks(environment: str) -> tuple[list[StandingStack], list[str]]:
    """The stacks of an environment, as `find_stacks` has them, and the names of those that are only called so."""
    cloudformation = make_client("cloudformation")
    prefix = contract.stack_name(environment, "")
    found, others = [], []
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for described in page["Stacks"]:
            if not described["StackName"].startswith(prefix) or described["StackStatus"] == GONE:
                continue
            template = read_template(cloudformation, described["StackId"])
            if contract.belongs_to(environment, template):
                found.append(_read_stack(cloudformation, described, template))
            else:
                others.append(described["StackName"])
    return order_by_use(found), others


def read_template(cloudformation: Any, stack_id: str) -> Any:
    """The template of a stack that stands, or that CloudFormation still knows of; nothing of any other."""
    try:
        return cloudformation.get_template(StackName=stack_id)["TemplateBody"]
    except ClientError as error:
        if is_absence(error):
            return {}
        raise


def order_by_use(stacks: list[StandingStack]) -> list[StandingStack]:
    """Stacks with each before those whose outputs it takes."""
    by_name = {stack.name: stack for stack in stacks}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for stack in stacks:
        sorter.add(stack.name)
        for used in list_used(stack, stacks):
            sorter.add(used, stack.name)
    return [by_name[name] for name in sorter.static_order()]


def list_used(stack: StandingStack, stacks: Iterable[StandingStack]) -> set[str]:
    """The names of those stacks whose outputs a stack takes."""
    owners = {export: other.name for other in stacks for export in (other.name, *other.exports)}
    return {owners[name] for name in list_uses(stack.template) if name in owners} - {stack.name}


def list_uses(value: Any) -> Iterator[str]:
    """The exports and the stacks that a template takes something from."""
    if isinstance(value, Mapping):
        taken = value.get("Fn::ImportValue"), value.get("Fn::GetStackOutput")
        yield from (name for name in taken if isinstance(name, str))
        yield from (part["StackName"] for part in taken if isinstance(part, Mapping) and "StackName" in part)
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from list_uses(part)


def _read_stack(cloudformation: Any, described: Mapping[str, Any], template: Mapping[str, Any]) -> StandingStack:
    name = described["StackId"]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    outputs = described.get("Outputs", [])
    return StandingStack(
        name=described["StackName"],
        id=name,
        is_protected=described.get("EnableTerminationProtection", False),
        outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
        exports=frozenset(output["ExportName"] for output in outputs if "ExportName" in output),
        template=template,
        resources=tuple(
            Resource(each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", ""))
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceStatus"] != GONE
        ),
    )
