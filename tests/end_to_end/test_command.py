"""The README's first command, as a new user gives it."""

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


def headrace_local(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "headrace", "local", "--folder", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Kept:
    """A folder whose cloud goes on, and what the run that started it printed."""

    folder: Path
    first: "subprocess.CompletedProcess[str]"

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run once more on the same cloud."""
        return headrace_local(self.folder, "run", *arguments)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    folder = make_folders(tmp_path_factory.mktemp("kept") / "local").base
    yield Kept(folder, headrace_local(folder, "run", "--port", str(find_free_port()), "--keep"))
    headrace_local(folder, "down")


def outline(text: str) -> list[str]:
    """The first word of every line that does not start with a name or number of its own."""
    words = [line.split()[0] for line in text.splitlines() if line.strip()]
    return [word for word in words if word[0].isalpha() and word[:2] not in ("FD", "DR", "NC")]


def test_prints_what_the_readme_shows(kept: Kept) -> None:
    readme = (PROJECT / "README.md").read_text()
    shown = readme[readme.index("data        made up") :].split("```")[0]

    # Polls of the endpoint depend on the machine: compare what comes once.
    assert kept.first.returncode == 0, kept.first.stderr
    assert set(outline(kept.first.stdout)) == set(outline(shown))
    assert kept.first.stderr == ""


def test_runs_the_readmes_commands_for_ones_own_clients(tmp_path: Path) -> None:
    folder = make_folders(tmp_path / "local").base
    blocks = (PROJECT / "README.md").read_text().split("```\n")
    (commands,) = (block for block in blocks if 'eval "$(headrace local up)"' in block)
    elsewhere = commands.replace("local up", f"local up --port {find_free_port()}")
    elsewhere = elsewhere.replace("headrace local", f"headrace local --folder {folder}").replace(
        ".headrace/", f"{folder}/"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["sh", "-ec", elsewhere], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "SUCCEEDED" in done.stdout
    assert '"EndpointStatus": "InService"' in done.stdout
    assert cloud.find(folder / "cloud") is None


def test_prints_json_for_programs(kept: Kept, sales: Path) -> None:
    done = kept.run("--data", str(sales), "--endpoint-name", "shop", "--json")

    told = json.loads(done.stdout)
    assert told["report"]["output"]["EndpointName"] == "shop"
    assert len(told["predictions"]) == 5


def test_keeps_the_cloud_for_the_next_run_when_asked_to(kept: Kept) -> None:
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
