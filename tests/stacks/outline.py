"""YAML that a reviewer reads: sorted, and on one line what fits on one."""

import json
import re
from dataclasses import dataclass
from typing import Any

WIDTH = 140
DASH = "- "
# What YAML reads as text without quotation marks.
PLAIN_KEY = re.compile(r"(?!(true|false|yes|no|on|off|null|y|n)$)[A-Za-z][\w./-]*(::?[\w./-]+)*", re.IGNORECASE)


def write_outline(value: Any) -> str:
    """The same YAML whatever the order of the keys; a value opens over lines only when it is wider than a line."""
    return "\n".join(_outline(value).write(0))


@dataclass(frozen=True)
class _Outline:
    """A value as it reads on one line, and its entries, each with what comes before it."""

    line: str
    entries: tuple[tuple[str, "_Outline"], ...] = ()

    def write(self, taken: int) -> list[str]:
        """The lines of the value where `taken` columns hold what comes before it."""
        if self._fits(taken):
            return [self.line]
        return [line for label, entry in self.entries for line in entry.write_after(label, taken)]

    def write_after(self, label: str, taken: int) -> list[str]:
        """The lines of the value as an entry of another, below its key or beside the dash of a list."""
        if label == DASH:
            return [f"{'  ' if number else DASH}{line}" for number, line in enumerate(self.write(taken + len(DASH)))]
        if self._fits(taken + len(label)):
            return [f"{label}{self.line}"]
        return [label.rstrip(), *(f" {line}" for line in self.write(taken + 1))]

    def _fits(self, taken: int) -> bool:
        return not self.entries or taken + len(self.line) <= WIDTH


def _outline(value: Any) -> _Outline:
    match value:
        case dict():
            entries = tuple((f"{_write_key(key)}: ", _outline(value[key])) for key in sorted(value))
            return _Outline("{" + ", ".join(f"{label}{entry.line}" for label, entry in entries) + "}", entries)
        case list():
            entries = tuple((DASH, _outline(entry)) for entry in value)
            return _Outline("[" + ", ".join(entry.line for _, entry in entries) + "]", entries)
        case _:
            return _Outline(json.dumps(value, ensure_ascii=False))


def _write_key(key: str) -> str:
    return key if PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
