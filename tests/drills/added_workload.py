"""docs/adding-a-workload.md adds a workload that runs, and touches no more than it says."""

import json
import re
import shlex
from typing import Final

from tests.conftest import PROJECT
from tests.drills.addition import Addition
from tests.drills.checkout import Checkout

_PAGE: Final = (PROJECT / "docs" / "adding-a-workload.md").read_text(encoding="utf-8")
_FILES: Final = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL))
[(_REGISTRY, _ANCHOR, _ENTRY)] = re.findall(
    r"in `(headrace/recipes/[\w.]+)`:\n\n```diff\n (.*?\n)\+(.*?\n)", _PAGE, re.DOTALL
)
[_SECTION] = re.findall(r"^```json\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)
_COPY, RUN = (shlex.split(block) for block in re.findall(r"^```bash\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL))
SHOWN: Final[str] = re.findall(r"^```text\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)[-1]
_MODULES: Final = "tests/containers/test_modules.py"
_TEST: Final = """
from click.testing import CliRunner

from headrace.cli import cli


def test_is_known_to_the_commands() -> None:
    assert "'toy'" in CliRunner().invoke(cli, ["containers", "build", "unknown"]).stderr
"""


def _add(checkout: Checkout) -> None:
    for name, text in _FILES.items():
        checkout.write(name, text)
    checkout.insert_after(_REGISTRY, _ANCHOR, _ENTRY)
    assert checkout.run(*_COPY).returncode == 0
    checkout.configure_dev(json.loads(f"{{{_SECTION}}}"))


WORKLOAD: Final = Addition(
    name="a workload",
    add=_add,
    touches=frozenset(
        {"containers/toy/", "headrace/recipes/toy.py", "headrace/workloads/toy.py", _REGISTRY, "cdk.json"}
    ),
    added_lines={_REGISTRY: 1},
    tests=(
        "tests/containers/test_contracts.py",
        f"{_MODULES}::test_carries_exactly_the_modules_that_its_program_imports[toy]",
        f"{_MODULES}::test_lists_modules_once_each_and_in_order[toy]",
        "tests/headrace/recipes",
        "tests/headrace/workloads/test_workloads.py",
    ),
    own_tests={"tests/headrace/workloads/test_toy.py": _TEST},
)
