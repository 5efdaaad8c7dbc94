"""Every decision about a call, kept in the local cloud's folder: each different one once, and not more than so many."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

_FILE: Final = "calls.jsonl"
MOST_CALLS: Final = 50_000


@dataclass(frozen=True, kw_only=True)
class Call:
    """A permission that somebody needed, and whether they had it.

    Args:
        principal: The ARN of the role or the user.
        action: What they needed it for.
        resource: On what.
        context: The condition keys of the request.
        is_allowed: Whether they had it.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    is_allowed: bool

    @property
    def role(self) -> str:
        """The name of the role, or nothing where a user called."""
        kind, _, name = self.principal.rpartition(":")[2].partition("/")
        return name.rpartition("/")[2] if kind == "role" else ""


class CallLog:
    """Writes calls down as they are decided.

    Args:
        root: The local cloud's folder; what an earlier cloud has noted there is forgotten.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / _FILE
        self._file.write_text("")
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def note(self, call: Call) -> None:
        """Write a call down unless the same one, decided in the same way, stands there."""
        line = json.dumps(asdict(call), sort_keys=True, default=str)
        with self._lock:
            if line not in self._known and len(self._known) < MOST_CALLS:
                self._known.add(line)
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")


def read_calls(root: Path) -> Iterator[Call]:
    """The calls that the local cloud of a folder has decided so far."""
    file = root / _FILE
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        yield Call(**json.loads(line))
