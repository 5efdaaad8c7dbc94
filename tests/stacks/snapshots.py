"""Templates as text that a reviewer reads: an environment whole, a switch as what it changes in dev."""

import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from tests.stacks.outline import write_outline

# What changes with every container's content.
IMAGE_TAG = re.compile(r":[0-9a-f]{16}\b")
# What is not worth a reference.
SHORT = 3


def write_template(template: Mapping[str, Any]) -> str:
    """A template, whole."""
    return IMAGE_TAG.sub(":<image-tag>", write_outline(_shorten(_open_definitions(template)))) + "\n"


def write_difference(base: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """What differs between two templates, resource by resource; with the base it gives back the changed one."""
    return "".join(
        f"{line}\n"
        for section in sorted(base.keys() | changed.keys())
        for line in _compare(section, _part_states(base.get(section, {})), _part_states(changed.get(section, {})))
    )


@dataclass(frozen=True)
class _Place:
    """The resource's line, or some of its lines that differ."""

    resource: str
    lines: tuple[str, ...]


class References:
    """Differences in which what an earlier one has, word for word at the same resource, is only referred to."""

    def __init__(self) -> None:
        self._known: dict[_Place, str] = {}

    def shorten(self, difference: str, name: str, *others: str) -> str:
        """A difference with references in it.

        Args:
            difference: The difference.
            name: What later ones call it.
            others: Differences that later ones find under the same name.
        """
        places = _read_places(difference)
        shortened = "".join(f"{line}\n" for where, place in places for line in self._write_place(where, place))
        for known in (*places, *(place for other in others for place in _read_places(other))):
            self._known.setdefault(known[1], name)
        return shortened

    def _write_place(self, where: str, place: _Place) -> list[str]:
        if place not in self._known or len(place.lines) < SHORT:
            return [where, *place.lines]
        return [f"{where} as in {self._known[place]}"]


def _read_places(difference: str) -> list[tuple[str, _Place]]:
    """The places that differ, each with the line that says where it is."""
    places = list[tuple[str, _Place]]()
    resource = ""
    for line in difference.splitlines():
        if line[0] in "+- ":
            where, place = places.pop()
            places.append((where, replace(place, lines=(*place.lines, line))))
        else:
            resource = resource if line.startswith("@@") else line
            places.append((line, _Place(resource, ())))
    return places


def _part_states(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a template with an entry for each state of a state machine."""
    parted = dict(_open_definitions(entries))
    for name, entry in list(parted.items()):
        match entry:
            case {"Properties": {"DefinitionString": {"Fn::Join of JSON": {"States": dict(states)} as definition}}}:
                parted |= {f"{name}: {state}": content for state, content in states.items()}
                del definition["States"]
    return parted


def _compare(section: str, base: Mapping[str, Any], changed: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(base.keys() | changed.keys()):
        if name not in changed:
            yield f"{section}.{name}: removed"
        elif name not in base:
            yield f"{section}.{name}: added"
            yield from (f"+{line}" for line in write_template(changed[name]).splitlines())
        elif base[name] != changed[name]:
            yield f"{section}.{name}: changed"
            before, after = write_template(base[name]).splitlines(), write_template(changed[name]).splitlines()
            # Without the lines that name two files, which there are not.
            for line in _shorten_removed(list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]):
                yield f"{line} {_find_place(after, line)}".rstrip() if line.startswith("@@") else line


def _find_place(after: Sequence[str], hunk: str) -> str:
    """The keys that hold the lines of a hunk, outermost first; a hunk that only removes is where the line before is."""
    first = int(re.split(r"[+, ]", hunk.partition("+")[2])[0]) - 1
    place = list[str]()
    indent = _indent(after[first]) if first < len(after) else 0
    for line in reversed(after[: first + 1]):
        if _indent(line) < indent:
            place.insert(0, line.strip(" -").partition(": ")[0].rstrip(":"))
            indent = _indent(line)
    return " ".join(place)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _shorten_removed(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a difference with all but the first of what is removed in one place counted: the base has them."""
    for is_removed, run in groupby(lines, lambda line: line.startswith("-")):
        first, *others = run
        yield first
        if is_removed and len(others) > 1:
            yield f"- and {len(others)} lines more"
        else:
            yield from others


def _shorten(value: Any) -> Any:
    """A template in which joined texts and references to other stacks of the same Region are a line each."""
    match value:
        case {
            "Fn::GetStackOutput": {"Region": {"Ref": "AWS::Region"}, "StackName": stack, "OutputName": output, **more}
        } if len(value) == 1 and not more:
            return {"Fn::GetStackOutput": f"{stack}: {output}"}
        case {"Fn::Join": ["", [*parts]]} if len(value) == 1:
            return {"Fn::Join": "".join(_spell(_shorten(part)) for part in parts)}
        case dict():
            return {key: _shorten(entry) for key, entry in value.items()}
        case list():
            return [_shorten(entry) for entry in value]
        case _:
            return value


def _open_definitions(value: Any) -> Any:
    """A template with the JSON that is joined from strings and references as JSON of its own."""
    match value:
        case {"Fn::Join": ["", [str(start), *_] as parts]} if start.startswith("{"):
            with contextlib.suppress(json.JSONDecodeError):
                return {"Fn::Join of JSON": json.loads("".join(map(_spell, parts)))}
            return value
        case dict():
            return {key: _open_definitions(entry) for key, entry in value.items()}
        case list():
            return [_open_definitions(entry) for entry in value]
        case _:
            return value


def _spell(part: Any) -> str:
    """A part of a joined document, `<...>` where CloudFormation fills in."""
    return part if isinstance(part, str) else f"<{json.dumps(part, sort_keys=True)}>".replace('"', "'")
