"""The stacks of an environment, and what their templates name in each other."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, Final

Template = Mapping[str, Any]
# A stack's id and a resource's logical id.
Name = tuple[str, str]

_NAMING: Final = frozenset({"Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::GetStackOutput", "Fn::Sub"})
_SUBSTITUTED: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


def list_resources(template: Template) -> Mapping[str, Any]:
    """The resources of a template by logical id; a stack that is switched off has none."""
    resources: Mapping[str, Any] = template.get("Resources", {})
    return resources


@dataclass(frozen=True)
class Assembly:
    """The templates of an environment by stack id.

    Args:
        stack_names: The names that the stacks have in CloudFormation.
        templates: The templates.
        dependencies: The stacks that come before a stack, beside those that its template names.
        protected: The stacks that CloudFormation does not delete.
        region: Where they are, or are to be; None where the AWS clients decide.
    """

    stack_names: Mapping[str, str]
    templates: Mapping[str, Template]
    dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
    region: str | None = None

    def resource(self, name: Name) -> Mapping[str, Any]:
        """A resource, empty if there is none of that name."""
        stack, logical_id = name
        found: Mapping[str, Any] = list_resources(self.templates.get(stack, {})).get(logical_id, {})
        return found

    def deploy_order(self) -> list[str]:
        """The stacks as `cdk deploy --all` deploys them: each after those that it names or depends on."""
        before = {stack: self.find_producers(stack) for stack in self.templates}
        return list(TopologicalSorter(before).static_order())

    def find_producers(self, stack: str) -> set[str]:
        """The stacks that one names or depends on."""
        named = {producer for producer, _ in list_foreign(self, self.templates[stack])}
        return ({*named, *self.dependencies.get(stack, ())} & self.templates.keys()) - {stack}

    def find_export(self, export: str) -> tuple[str, str] | None:
        """The stack and the output behind an export."""
        for stack, template in self.templates.items():
            for output, content in template.get("Outputs", {}).items():
                if content.get("Export", {}).get("Name") == export:
                    return stack, output
        return None

    def find_output(self, value: Mapping[str, Any]) -> tuple[str, str] | None:
        """The stack and the output that `Fn::ImportValue` or `Fn::GetStackOutput` names, if it is one of ours."""
        if "Fn::ImportValue" in value:
            return self.find_export(str(value["Fn::ImportValue"]))
        named = value["Fn::GetStackOutput"]
        stack = next((stack for stack, name in self.stack_names.items() if name == named["StackName"]), None)
        if stack is None or named["OutputName"] not in self.templates.get(stack, {}).get("Outputs", {}):
            return None
        return stack, named["OutputName"]

    def referred(self, stack: str, value: Any) -> Iterator[Name]:
        """The resources that a value names, in its own stack or through another's output."""
        for named in list_references(value):
            if isinstance(named, str):
                yield stack, named
            elif found := self.find_output(named):
                producer, output = found
                yield from self.referred(producer, self.templates[producer]["Outputs"][output]["Value"])


def list_references(value: Any) -> Iterator[str | Mapping[str, Any]]:
    """What a value names: a logical id, or the function that reads another stack's output."""
    # A plan walks through thousands of values many times: a generator for each of them took most of its time.
    waiting = [value]
    while waiting:
        match waiting.pop():
            case list(entries):
                waiting += reversed(entries)
            case dict(entries) if _NAMING.isdisjoint(entries):
                waiting += reversed(entries.values())
            case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
                yield name
            case ({"Fn::ImportValue": str()} | {"Fn::GetStackOutput": _}) as function:
                yield function
            case {"Fn::Sub": str(text)}:
                yield from _SUBSTITUTED.findall(text)
            case dict(entries):
                waiting += reversed(entries.values())


def creation_order(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A template's resources, each after those that it names or waits for."""
    resources = list_resources(template)
    before = {}
    for logical_id, resource in resources.items():
        waits = resource.get("DependsOn", [])
        named = {name for name in list_references(resource.get("Properties", {})) if isinstance(name, str)}
        before[logical_id] = (named | {*([waits] if isinstance(waits, str) else waits)}) & resources.keys()
    for logical_id in TopologicalSorter(before).static_order():
        yield logical_id, resources[logical_id]


def list_foreign(assembly: Assembly, value: Any) -> Iterator[tuple[str, str]]:
    """The outputs of our stacks that a value reads, as stack and output."""
    for named in list_references(value):
        if not isinstance(named, str) and (found := assembly.find_output(named)):
            yield found


def list_imports(value: Any) -> set[str]:
    """The names of the exports that a value imports."""
    return {
        str(named["Fn::ImportValue"])
        for named in list_references(value)
        if not isinstance(named, str) and "Fn::ImportValue" in named
    }


def read_property(resource: Mapping[str, Any], path: str) -> Any:
    """The value at `/properties/A/B` of a resource, None if it is not set."""
    value: Any = resource.get("Properties", {})
    for key in path.removeprefix("/properties/").split("/"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
