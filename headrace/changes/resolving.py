"""Templates as CloudFormation sees them while it deploys: references stand for resources that were made once."""

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.assemblies.assembly import list_references


@dataclass(frozen=True, order=True)
class Identity:
    """A resource as it was made once: its replacement is another one, and so is one made again after a removal."""

    stack: str
    logical_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Made:
    """A resource that stands.

    Args:
        identity: Which one it is.
        resource: Its part of the template.
        resolved: Its properties, with identities where they name resources.
        uses: The resources that it names.
    """

    identity: Identity
    resource: Mapping[str, Any]
    resolved: Any
    uses: frozenset[Identity] = field(compare=False)

    @property
    def kind(self) -> str:
        """Its CloudFormation type."""
        return str(self.resource["Type"])


class UnresolvedError(Exception):
    """A template reads another stack's output that is not there."""


Foreign = Callable[[Mapping[str, Any]], Any]


def resolve(value: Any, own: Mapping[str, Identity], foreign: Foreign) -> Any:
    """A value with what it names spelt as identities.

    Args:
        value: A part of a template.
        own: The resources of the same stack by logical id.
        foreign: Reads another stack's output.

    Raises:
        UnresolvedError: If there is no such output.
    """
    if isinstance(value, list):
        return [resolve(entry, own, foreign) for entry in value]
    if not isinstance(value, Mapping):
        return value
    match value:
        case {"Fn::ImportValue": str()} | {"Fn::GetStackOutput": _}:
            return foreign(value)
        case {"Ref": str(name)} if name in own:
            return {"Ref": own[name]}
        case {"Fn::GetAtt": [str(name), *attribute]} if name in own:
            return {"Fn::GetAtt": [own[name], *attribute]}
        case {"Fn::Sub": str()}:
            return {
                **value,
                "of": [own[name] for name in list_references(value) if isinstance(name, str) and name in own],
            }
    return {key: resolve(entry, own, foreign) for key, entry in value.items()}


def list_identities(resolved: Any) -> Iterator[Identity]:
    """The resources that a resolved value names."""
    if isinstance(resolved, Identity):
        yield resolved
    elif isinstance(resolved, Mapping | list):
        for entry in resolved.values() if isinstance(resolved, Mapping) else resolved:
            yield from list_identities(entry)


def overlap(one: Any, other: Any) -> bool:
    """Whether two address ranges of a template share addresses; ranges that are not written out share none."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))


def show(value: Any) -> str:
    """A property's value on one line, cut short."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"
