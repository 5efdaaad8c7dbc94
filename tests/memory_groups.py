"""A control group with so much memory and no more, for programs that must end well within it."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_GROUPS = Path("/sys/fs/cgroup")
# Where groups of the second and of the first version are made, and the files that limit them: swap is none, or within.
_VERSIONS = (
    (_GROUPS, {"memory.max": "{}", "memory.swap.max": "0"}),
    (_GROUPS / "memory", {"memory.limit_in_bytes": "{}", "memory.memsw.limit_in_bytes": "{}"}),
)


@contextmanager
def limiting_memory(limit_bytes: int) -> Iterator[Path]:
    """A group for processes that write their number into its `cgroup.procs`; a test that needs one may be skipped.

    Only root may make groups, and not everywhere; where CI runs as root, there must be one.
    """
    group = _make_group(limit_bytes)
    if group is None:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail("control groups that limit memory cannot be made here")
        pytest.skip("limiting memory needs a control group, and none may be made here")
    try:
        yield group
    finally:
        _remove(group)


def _make_group(limit_bytes: int) -> Path | None:
    for parent, limits in _VERSIONS:
        with suppress(OSError):
            group = Path(tempfile.mkdtemp(prefix="headrace-", dir=parent))
            if _limit(group, limits, limit_bytes):
                return group
            _remove(group)
    return None


def _limit(group: Path, limits: dict[str, str], limit_bytes: int) -> bool:
    files = {group / name: text.format(limit_bytes) for name, text in limits.items() if (group / name).exists()}
    for file, text in files.items():
        file.write_text(text)
    return group / next(iter(limits)) in files


def _remove(group: Path) -> None:
    # A process that has been killed takes a moment to leave.
    for _ in range(50):
        with suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)
