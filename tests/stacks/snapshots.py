"""Templates as text that a reviewer reads: an environment whole, a switch as what it changes in dev."""

import contextlib
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.stacks.compact_json import write_compactly

# What changes with every container's content.
IMAGE_TAG = re.compile(r":[0-9a-f]{16}\b")
CONTEXT_LINES = 1


def write_template(template: Mapping[str, Any]) -> str:
    """A template, whole."""
    return IMAGE_TAG.sub(":<image-tag>", write_compactly(_shorten(_open_definitions(template)))) + "\n"


def write_difference(base: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """What differs between two templates, resource by resource; with the base it gives back the changed one."""
    sections = sorted(base.keys() | changed.keys())
    return "".join(
        line for section in sections for line in _compare(section, base.get(section, {}), changed.get(section, {}))
    )


def _compare(section: str, base: Mapping[str, Any], changed: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(base.keys() | changed.keys()):
        if name not in changed:
            yield f"{section}.{name}: removed\n"
        elif base.get(name) != changed[name]:
            before = write_template(base[name]).splitlines() if name in base else []
            after = write_template(changed[name]).splitlines()
            yield f"{section}.{name}: {'changed' if name in base else 'added'}\n"
            # Without the lines that name two files, which there are not.
            for line in list(difflib.unified_diff(before, after, lineterm="", n=CONTEXT_LINES))[2:]:
                if before or not line.startswith("@@"):
                    yield f"{line}\n"


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
