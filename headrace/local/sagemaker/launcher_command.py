"""The launcher's command line, and what it can do on this machine."""

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")
PROBE_SECONDS = 20
PLACED_FILE = "placed"


def launch_with(words: tuple[str, ...]) -> tuple[str, ...]:
    """The beginning of the command line of a program that is started as these words of the launcher say."""
    return (sys.executable, "-I", "-S", str(LAUNCHER), *words, "--") if words else ()


@functools.cache
def can_place() -> bool:
    """Whether each program can have its own /opt/ml here, by trying."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, PLACED_FILE).touch()
        probe = [*launch_with(("place", folder)), "/bin/sh", "-c", f"test -e /opt/ml/{PLACED_FILE}"]
        try:
            answer = subprocess.run(probe, capture_output=True, timeout=PROBE_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return answer.returncode == 0
