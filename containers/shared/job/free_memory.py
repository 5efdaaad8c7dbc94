"""How much memory a program may still use."""

from pathlib import Path

MEMINFO = Path("/proc/meminfo")
# What a container may use and uses: control groups of version 2, then of version 1.
CGROUP_FILES = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def find_free_memory() -> int | None:
    """The bytes that this container may still use; None where the system does not say."""
    bounds = [read_available(MEMINFO), *(read_group(limit, usage) for limit, usage in CGROUP_FILES)]
    return min((bound for bound in bounds if bound is not None), default=None)


def read_available(path: Path) -> int | None:
    """What the machine has left."""
    if not path.is_file():
        return None
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def read_group(limit: Path, usage: Path) -> int | None:
    """What the control group has left, unless it has no limit."""
    if not (limit.is_file() and usage.is_file()) or limit.read_text().strip() == "max":
        return None
    return int(limit.read_text()) - int(usage.read_text())
