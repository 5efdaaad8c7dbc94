"""Every decision about a call, kept in the local cloud's folder: each different one once, after so many by folders."""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sized
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from headrace.local.clock import CLOCK, Clock

# So many different calls are kept; those that come after them, by the folder of their object, without the context.
MOST_CALLS: Final = 50_000
_FILE: Final = "calls.jsonl"
_OBJECT: Final = re.compile(r"(?P<folder>arn:aws[\w-]*:s3:::[^/]+/(?:.*/)?)[^/]+")


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


@dataclass(frozen=True, kw_only=True)
class CallCount:
    """How often the same call was decided in the same way.

    Args:
        call: The call.
        count: How often.
        last: When last, on the cloud's clock.
    """

    call: Call
    count: int
    last: datetime


class CallLog:
    """Writes calls down as they are decided, and counts them.

    Args:
        root: The local cloud's folder; what an earlier cloud has noted there is forgotten.
        clock: The cloud's clock.
    """

    def __init__(self, root: Path, clock: Clock = CLOCK) -> None:
        self._file = root / _FILE
        self._file.write_text("")
        self._clock = clock
        self._counts: dict[str, CallCount] = {}
        self._lock = threading.Lock()

    def note(self, call: Call) -> None:
        """Count a call, and write it down unless the same one, decided in the same way, stands there."""
        line = _write(call)
        now = self._clock.now()
        with self._lock:
            if line not in self._counts and is_full(self._counts):
                call = _shorten(call)
                line = _write(call)
            if known := self._counts.get(line):
                self._counts[line] = CallCount(call=known.call, count=known.count + 1, last=now)
            else:
                self._counts[line] = CallCount(call=call, count=1, last=now)
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")

    def list_counts(self) -> list[CallCount]:
        """The calls that were decided since the cloud has begun, in the order of the first of each."""
        with self._lock:
            return list(self._counts.values())


def is_full(calls: Sized) -> bool:
    """Whether calls that come now are counted by the folders of their objects."""
    return len(calls) >= MOST_CALLS


def describe_limit(calls: Sized) -> str:
    """What is not known of the calls because there were so many; empty where all are kept."""
    if not is_full(calls):
        return ""
    return (
        f"Only {MOST_CALLS:,} different calls are kept. Later ones to objects of S3 are counted by folder, "
        "so a permission for single objects may have been used although it is listed as unused."
    )


def _write(call: Call) -> str:
    return json.dumps(asdict(call), sort_keys=True, default=str)


def _shorten(call: Call) -> Call:
    """A call without what most calls differ in: the name of the object in its folder, and the context."""
    found = _OBJECT.fullmatch(call.resource)
    return replace(call, resource=f"{found['folder']}*" if found else call.resource, context={})


def read_calls(root: Path) -> Iterator[Call]:
    """The calls that the local cloud of a folder has decided so far."""
    file = root / _FILE
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        yield Call(**json.loads(line))
