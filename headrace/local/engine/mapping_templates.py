"""What mapping templates of API Gateway make of an answer: as much of their language as this project uses."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

_PATH: Final = r"\$input\.{how}\('\$\.(?P<key>\w+)'\)"
_SET: Final = re.compile(rf"#set\(\$(?P<name>\w+) = {_PATH.format(how='path')}\)")
_IF: Final = re.compile(r"#if\(\$(?P<name>\w+) >= (?P<least>\d+)\)(?P<then>.*?)#end", re.DOTALL)
_OVERRIDE: Final = re.compile(r"#set\(\$context\.responseOverride\.status = \$(?P<name>\w+)\)")
_JSON: Final = re.compile(_PATH.format(how="json"))
_UNKNOWN: Final = re.compile(r"[#$][a-zA-Z!{]")


class MappingTemplateError(ValueError):
    """A template with something that is not known here."""


@dataclass
class _Rendering:
    content: Any
    variables: dict[str, Any] = field(default_factory=dict)
    status: int | None = None

    def find(self, key: str) -> Any:
        return self.content.get(key) if isinstance(self.content, dict) else None

    def set(self, match: re.Match[str]) -> str:
        self.variables[match["name"]] = self.find(match["key"])
        return ""

    def choose(self, match: re.Match[str]) -> str:
        value = self.variables.get(match["name"])
        return match["then"] if isinstance(value, int) and value >= int(match["least"]) else ""

    def override(self, match: re.Match[str]) -> str:
        self.status = self.variables.get(match["name"])
        return ""


def render(template: str, body: bytes) -> tuple[str, int | None]:
    """What a template makes of a body in JSON, and the status that it sets, if it does.

    Raises:
        MappingTemplateError: If the template has something that is not known here.
    """
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    rendering = _Rendering(content)
    text = _SET.sub(rendering.set, template)
    text = _IF.sub(rendering.choose, text)
    text = _OVERRIDE.sub(rendering.override, text)
    if unknown := _UNKNOWN.search(_JSON.sub("", text)):
        raise MappingTemplateError(
            f"the local cloud does not know {text[unknown.start() :][:40]!r} of mapping templates"
        )
    return _JSON.sub(lambda match: json.dumps(rendering.find(match["key"])), text), rendering.status
