import subprocess
import sys
from pathlib import Path

import pytest

from tests.containers.job_roots import list_files

PROGRAM = """
import sys, threading
from pathlib import Path
from containers.shared.job.outputs import Outputs
from containers.shared.job.stopping import run_until_stopped

def work():
    with outputs:
        outputs.add(Path(sys.argv[1]) / "half").write_text("half")
        print("ready", flush=True)
        threading.Event().wait()
    return 0

outputs = Outputs()
sys.exit(run_until_stopped(work, discard=outputs.discard))
"""


@pytest.mark.slow
def test_ends_with_143_and_leaves_nothing_when_terminated(tmp_path: Path, repository: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=repository
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        process.terminate()

        assert process.wait() == 143
    assert list_files(tmp_path) == set()
