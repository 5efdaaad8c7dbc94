"""Tools end with their caller, and tell why they failed."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from headrace.tools import Tool, ToolError, run_tool


def test_tells_what_a_failing_tool_said() -> None:
    with pytest.raises(ToolError, match=r"^the tool failed:\nno such stack$"):
        run_tool("the tool", [sys.executable, "-c", "import sys; sys.exit('no such stack')"])


def test_gives_a_tool_up_that_is_of_no_use_any_more() -> None:
    with pytest.raises(ToolError, match=r"^the tool was given up$"):
        run_tool("the tool", [sys.executable, "-c", "import time; time.sleep(600)"], is_of_use=lambda: False)


def test_adds_to_the_environment(tmp_path: Path) -> None:
    program = "import os, pathlib; pathlib.Path('seen').write_text(os.environ['COLOUR'])"

    run_tool("the tool", [sys.executable, "-c", program], environment={"COLOUR": "green"}, directory=tmp_path)

    assert (tmp_path / "seen").read_text() == "green"


def test_kills_the_tool_and_its_children_when_the_caller_is_interrupted(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    program = (
        "import subprocess, sys; alive = open(sys.argv[1], 'w'); alive.write('started\\n'); alive.flush();"
        "subprocess.run(['sleep', '600'], pass_fds=[alive.fileno()])"
    )

    with suppress(KeyboardInterrupt), Tool("the tool", [sys.executable, "-c", program, str(alive)]):
        end_of_both = alive.open()
        assert end_of_both.readline() == "started\n"
        raise KeyboardInterrupt

    # Both hold the pipe's other end, so that reading to the end waits for both to be gone.
    assert end_of_both.read() == ""
    end_of_both.close()
