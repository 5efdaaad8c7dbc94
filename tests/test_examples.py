"""The example notebooks run as they are, with the SDK they are written for and without AWS."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.examples import IS_EXHAUSTIVE

# The SDK is large: the limit leaves room for downloading it for the first time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLES = sorted(PROJECT.glob("examples/*.ipynb"))
# Its packages are many, and none of them is the project's: it gets its own environment.
PYTHON = [sys.executable, "-m", "uv", "--quiet", "tool", "run", "--python", sys.executable]
PYTHON_WITH_SDK = [*PYTHON, "--from", "sagemaker==3.27.0", "python"]
# What a kernel does with cells, without the network; its last line prints the values of some names.
KERNEL = """
import json, socket, sys

def refuse(*_):
    raise AssertionError("the example calls somebody")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
namespace = {"__name__": "__main__"}
for number, cell in enumerate(json.load(sys.stdin)):
    exec(compile(cell, f"cell {number}", "exec"), namespace)
print()
print(json.dumps({name: namespace[name] for name in sys.argv[1:]}))
"""


def read_notebook(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text())
    return notebook


def list_code(path: Path) -> list[str]:
    """The code of a notebook, cell by cell."""
    return ["".join(cell["source"]) for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]


def run_cells(cells: list[str], home: Path, *names: str) -> dict[str, Any]:
    """The values of some names once the cells have run in order, in an environment that knows nothing of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [*PYTHON_WITH_SDK, "-c", KERNEL, *names],
        input=json.dumps(cells),
        cwd=home,
        env={**kept, "PYTHONPATH": str(PROJECT), "AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each example notebook."""
    path: Path = request.param
    return path


def test_is_a_notebook_of_format_4(example: Path) -> None:
    notebook = read_notebook(example)

    assert (notebook["nbformat"], notebook["nbformat_minor"] >= 5) == (4, True)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_keeps_no_outputs_of_a_machine(example: Path) -> None:
    code = [cell for cell in read_notebook(example)["cells"] if cell["cell_type"] == "code"]

    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)


@pytest.mark.skipif(
    not (IS_EXHAUSTIVE or os.environ.get("HEADRACE_SDK_TESTS") == "1"),
    reason="the SDK's packages are many: make test-sdk, make test-all",
)
def test_hands_channels_from_every_storage_to_the_sdk(tmp_path: Path) -> None:
    example = PROJECT / "examples" / "channels_with_the_sagemaker_sdk.ipynb"

    values = run_cells(list_code(example), tmp_path, "refusal", "rendered", "request")

    sources = [channel["DataSource"] for channel in values["request"]]
    assert values["request"] == values["rendered"]
    assert [next(iter(source)) for source in sources] == ["S3DataSource"] * 2 + ["FileSystemDataSource"] * 2
    assert sources[2]["FileSystemDataSource"]["FileSystemType"] == "EFS"
    assert sources[3]["FileSystemDataSource"]["DirectoryPath"] == "/kx4bpbev/raw/images/lists/validation"
    assert "the job has no VpcConfig" in values["refusal"]
