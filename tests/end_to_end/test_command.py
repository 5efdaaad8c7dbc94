"""The README's commands of the local cloud, as a new user gives them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headrace.local.engine import cloud
from headrace.loopback import find_free_port
from tests.conftest import PROJECT
from tests.end_to_end.conftest import make_folders, shuffle_sales

pytestmark = pytest.mark.slow

# Parts what one command prints from what the others do, on both streams.
MARK = "printf '\\0'; printf '\\0' >&2"


def headrace_local(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "headrace", "local", "--folder", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Kept:
    """A folder whose cloud goes on, and what the README's commands for one's own clients told there.

    Args:
        folder: It.
        told: What all commands printed, but for that which runs the workload.
        first: What that one printed on each stream.
    """

    folder: Path
    told: str
    first: tuple[str, str]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run once more on the same cloud."""
        return headrace_local(self.folder, "run", *arguments)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """What is left by the README's commands for one's own clients, all but the last one, which stops the cloud."""
    folder = make_folders(tmp_path_factory.mktemp("kept") / "local").base
    *commands, last = read_commands(folder)
    at = commands.index(f"headrace local --folder {folder} run")
    try:
        done = run_shell(*commands[:at], MARK, commands[at], MARK, *commands[at + 1 :])
        before, printed, after = done.stdout.split("\0")
        yield Kept(folder, before + after, (printed, done.stderr.split("\0")[1]))
    finally:
        run_shell(last)
    assert cloud.find(folder / "cloud") is None


def read_commands(folder: Path) -> list[str]:
    """The README's commands for one's own clients, for a cloud elsewhere."""
    blocks = (PROJECT / "README.md").read_text().split("```\n")
    (commands,) = (block for block in blocks if 'eval "$(headrace local up)"' in block)
    elsewhere = commands.replace("local up", f"local up --port {find_free_port()}")
    elsewhere = elsewhere.replace("headrace local", f"headrace local --folder {folder}")
    return elsewhere.replace(".headrace/", f"{folder}/").splitlines()


def run_shell(*commands: str) -> "subprocess.CompletedProcess[str]":
    """Run commands one after the other, all of which must end well."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = ["sh", "-ec", "\n".join(commands)]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def outline(text: str) -> list[str]:
    """The first word of every line that does not start with a name or number of its own."""
    words = [line.split()[0] for line in text.splitlines() if line.strip()]
    return [word for word in words if word[0].isalpha() and word[:2] not in ("FD", "DR", "NC")]


def test_prints_what_the_readme_shows(kept: Kept) -> None:
    readme = (PROJECT / "README.md").read_text()
    shown = readme[readme.index("data        made up") :].split("```")[0]
    printed, errors = kept.first

    # Polls of the endpoint depend on the machine: compare what comes once.
    assert set(outline(printed)) == set(outline(shown))
    assert errors == ""


def test_runs_the_readmes_commands_for_ones_own_clients(kept: Kept) -> None:
    assert "SUCCEEDED" in kept.first[0]
    assert '"EndpointStatus": "InService"' in kept.told
    assert cloud.find(kept.folder / "cloud")


def test_ends_with_the_jobs_reason_when_the_file_is_wrong(kept: Kept, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Item_Identifier,Item_MRP\nFDA15,249.8\n")

    done = kept.run("--data", str(wrong))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: PreprocessFailed: Preprocess: wrong.csv: the header lacks 'Item_Weight'")


def test_ends_with_its_own_code_when_the_model_is_refused(kept: Kept, sales: Path, tmp_path: Path) -> None:
    done = kept.run("--data", str(shuffle_sales(sales, tmp_path / "broken.csv")))

    assert (done.returncode, done.stderr) == (4, "")
    assert "outcome     the model is refused by the gate and not served\n" in done.stdout
    assert "endpoint    headrace-dev-bigmart, as it was before\n" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("FAILED")


def test_real_sales_score_as_well_as_the_book(kept: Kept, real_sales: Path) -> None:
    done = kept.run("--json", "--data", str(real_sales))

    assert json.loads(done.stdout)["report"]["output"]["Metrics"]["validation:rmse"] <= 1_100
