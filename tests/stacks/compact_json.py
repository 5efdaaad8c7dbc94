"""JSON that a reviewer reads: sorted, and on one line what fits on one."""

import json
from typing import Any

WIDTH = 120


def write_compactly(value: Any, indent: int = 0, label: str = "") -> str:
    """The same JSON whatever the order of the keys; a value opens over lines only when it is wider than a line."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if indent + len(label) + len(line) < WIDTH or not value or not isinstance(value, dict | list):
        return label + line
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    labels = [f"{json.dumps(key)}: " for key in sorted(value)] if isinstance(value, dict) else [""] * len(value)
    entries = [value[key] for key in sorted(value)] if isinstance(value, dict) else value
    margin = " " * (indent + 1)
    inner = ",\n".join(
        margin + write_compactly(entry, indent + 1, label) for label, entry in zip(labels, entries, strict=True)
    )
    return f"{label}{opening}\n{inner}\n{' ' * indent}{closing}"
