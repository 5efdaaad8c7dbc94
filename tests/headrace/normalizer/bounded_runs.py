"""Running the normalizer over files in its own process, as in a function, to see what it takes."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.normalizer.errors import NormalizeError
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Options, parse_options
from tests.conftest import PROJECT

# The memory of the function; what a test process of pytest has loaded is not in it.
FUNCTION_MIB = 256


@dataclass(frozen=True)
class Run:
    """How one file ended, as so many bytes or with an error's code, and the seconds of CPU it took."""

    file: str
    ending: str
    seconds: float
    peak_mib: float


def run_apart(files: Sequence[Path], options: Mapping[str, str] = {}, group: Path | None = None) -> list[Run]:
    """Normalize the files one after the other in one fresh process; its peak memory only grows.

    Args:
        files: Any.
        options: The normalized images that are asked for.
        group: A control group for the process; what it kills ends there.
    """
    settings = json.dumps({"group": group and str(group), "options": dict(options)})
    command = [sys.executable, "-W", "ignore", "-m", __name__, settings, *map(str, files)]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    runs = [Run(**json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode == 0:
        return runs
    return [*runs, Run(files[len(runs)].name, f"exit {done.returncode}", 0, 0)]


def run_here(file: Path, options: Options) -> Run:
    """Normalize one file; an error without a type is an error of this program."""
    photograph = file.read_bytes()
    start = time.process_time()
    try:
        ending = f"{len(normalize(photograph, options))} bytes"
    except NormalizeError as error:
        ending = error.code
    seconds = time.process_time() - start
    return Run(file.name, ending, seconds, read_peak_mib())


def read_peak_mib() -> float:
    """The most memory this process has had."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    # On Linux `ru_maxrss` begins with what the parent had when it forked.
    (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(kibibytes) / 1024


def main(settings: str, *files: str) -> None:
    """Normalize files, within a group if the settings name one."""
    read = json.loads(settings)
    if read["group"]:
        Path(read["group"], "cgroup.procs").write_text(str(os.getpid()))
    options = parse_options(read["options"])
    for file in files:
        sys.stdout.write(json.dumps(vars(run_here(Path(file), options))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
