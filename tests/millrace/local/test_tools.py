"""Tools end with their caller, and tell why they failed."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from millrace.local.tools import Tool, ToolError, run_tool


def test_tells_what_a_failing_tool_said() -> None:
    with pytest.raises(ToolError, match=r"^the tool failed:\nno such stack$"):
        run_tool("the tool", [sys.executable, "-c", "import sys; sys.exit('no such stack')"])


def test_adds_to_the_environment(tmp_path: Path) -> None:
    program = "import os, pathlib; pathlib.Path('seen').write_text(os.environ['COLOUR'])"

    run_tool("the tool", [sys.executable, "-c", program], environment={"COLOUR": "green"}, directory=tmp_path)

    assert (tmp_path / "seen").read_text() == "green"


def test_kills_the_tool_and_its_children_when_the_caller_is_interrupted(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    os.mkfifo(pids)
    program = (
        "import os, subprocess, sys; child = subprocess.Popen(['sleep', '600']);"
        "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}'); child.wait()"
    )

    with suppress(KeyboardInterrupt), Tool("the tool", [sys.executable, "-c", program, str(pids)]):
        tool, child = map(int, pids.read_text().split())
        raise KeyboardInterrupt

    assert not is_alive(tool)
    assert not is_alive(child)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped by init does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
