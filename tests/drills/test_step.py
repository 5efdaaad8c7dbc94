"""A gate before the model is saved is a step's file and its entry."""

import json
import sys
from typing import Any

import pytest

from tests.drills.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STEP, PIPELINE = "stacks/pipeline/steps/judge.py", "stacks/constructs/training_pipeline.py"
JUDGE = '''"""Refuse a model without metrics."""

from collections.abc import Mapping

from stacks.pipeline.asl import Choice, Rule, State
from stacks.pipeline.failure import FAILED, assign_failure


def judge(after: str) -> Mapping[str, State]:
    """Go on with a model that has been measured."""
    unmeasured = Rule(
        condition="$count($keys($metrics)) = 0", next=FAILED, assign=assign_failure("Unmeasured", "'no metrics'")
    )
    return {"Judge": Choice(rules=(unmeasured,), default=after)}
'''
DEFINITIONS = """
import json
from tests.stacks.conftest import read_definition, template_of
print(json.dumps({stack: read_definition(template_of(stack).to_json())["States"] for stack in ("BigMart", "Images")}))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with a gate."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    checkout.write(STEP, JUDGE)
    checkout.insert_after(
        PIPELINE, "from stacks.pipeline.steps import serve\n", "from stacks.pipeline.steps.judge import judge\n"
    )
    checkout.insert_after(PIPELINE, "        train(tasks, parts.training, parts.work),\n", "        judge,\n")
    return checkout


@pytest.fixture(scope="module")
def definitions(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """The states of both workloads' machines."""
    answer = checkout.run(sys.executable, "-c", DEFINITIONS)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, dict[str, Any]] = json.loads(answer.stdout.splitlines()[-1])
    return found


def test_touches_the_steps_file_and_its_entry(checkout: Checkout) -> None:
    assert checkout.list_touched() == {STEP, PIPELINE}
    assert checkout.count_added_lines(PIPELINE) == 2


@pytest.mark.parametrize("stack", ["BigMart", "Images"])
def test_stands_between_training_and_saving(definitions: dict[str, dict[str, Any]], stack: str) -> None:
    states = definitions[stack]

    assert states["Train"]["Next"] == "Judge"
    assert states["Judge"]["Default"] == "Save Model"


def test_keeps_the_rules_of_the_house(checkout: Checkout) -> None:
    for command in (("ruff", "check", STEP, PIPELINE), ("ruff", "format", "--check", STEP, PIPELINE), ("mypy", STEP)):
        answer = checkout.run(*command)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_passes_the_checks_of_security_and_of_the_definition(checkout: Checkout) -> None:
    tests = ("tests/stacks/test_nag.py::test_finds_nothing[dev]", "tests/stacks/pipeline")
    # Tests of whole executions know the states that there are.
    others = "--ignore=tests/stacks/pipeline/test_executions.py"

    answer = checkout.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", others, *tests)

    assert answer.returncode == 0, answer.stdout + answer.stderr
