"""docs/adding-a-workload.md adds a workload that runs, and touches no more than it says."""

import json
import re
import shlex
import sys

import pytest

from headrace.local.engine import cloud
from headrace.loopback import find_free_port
from tests.conftest import PROJECT
from tests.drills.checkout import Checkout

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs" / "adding-a-workload.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
[(REGISTRY, ANCHOR, ENTRY)] = re.findall(
    r"in `(headrace/recipes/[\w.]+)`:\n\n```diff\n (.*?\n)\+(.*?\n)", PAGE, re.DOTALL
)
[SECTION] = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COPY, RUN = (shlex.split(block) for block in re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SHOWN = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[-1]

# The tests that hold for whatever workloads there are.
GENERAL_TESTS = (
    "tests/test_house.py",
    "tests/containers/test_contracts.py",
    "tests/containers/test_modules.py",
    "tests/headrace/recipes",
    "tests/headrace/workloads/test_workloads.py",
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout to which the page's workload has been added."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"), checks_types=True)
    for name, text in FILES.items():
        checkout.write(name, text)
    checkout.insert_after(REGISTRY, ANCHOR, ENTRY)
    assert checkout.run(*COPY).returncode == 0
    cdk = json.loads((checkout.folder / "cdk.json").read_text(encoding="utf-8"))
    cdk["context"]["environments"]["dev"] |= json.loads(f"{{{SECTION}}}")
    checkout.write("cdk.json", json.dumps(cdk, indent=2))
    return checkout


def test_touches_a_folder_of_containers_a_recipe_a_run_the_settings_and_a_line_of_the_registry(
    checkout: Checkout,
) -> None:
    others = {name for name in checkout.list_touched() if not name.startswith("containers/toy/")}

    assert others == {"headrace/recipes/toy.py", "headrace/workloads/toy.py", REGISTRY, "cdk.json"}
    assert checkout.count_added_lines(REGISTRY) == 1


def test_keeps_the_rules_of_the_house(checkout: Checkout) -> None:
    touched = sorted(name for name in checkout.list_touched() if name.endswith(".py"))
    checks = (
        ("ruff", "check", *touched),
        ("ruff", "format", "--check", *touched),
        ("mypy", *touched),
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *GENERAL_TESTS),
    )

    for command in checks:
        answer = checkout.run(*command)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_ends_with_a_served_prediction_and_without_the_cloud(checkout: Checkout) -> None:
    options = ["--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", *RUN, *options)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.endswith(SHOWN)
    assert answer.stderr == ""
    assert cloud.find(checkout.folder / ".headrace" / "cloud") is None


def test_is_known_to_the_commands(checkout: Checkout) -> None:
    answer = checkout.run(sys.executable, "-m", "headrace", "containers", "build", "--help")
    refused = checkout.run(sys.executable, "-m", "headrace", "containers", "build", "unknown")

    assert answer.returncode == 0
    assert "'toy'" in refused.stderr
