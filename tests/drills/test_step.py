"""A pause before the endpoint is changed is a step's file and its entry."""

import json
import sys
from typing import Any

import pytest

from tests.drills.checkout import Checkout
from tests.examples import IS_EXHAUSTIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STEP, PIPELINE = "stacks/pipeline/steps/pause.py", "stacks/constructs/training_pipeline.py"
PAUSE = '''"""Let clients prepare for the next model."""

from collections.abc import Mapping

from stacks.pipeline.asl import State, Wait


def pause(after: str) -> Mapping[str, State]:
    """Wait for five seconds."""
    return {"Pause": Wait(seconds=5, next=after)}
'''
DEFINITIONS = """
import json
from tests.stacks.conftest import read_definition, template_of
print(json.dumps({stack: read_definition(template_of(stack).to_json())["States"] for stack in ("BigMart", "Images")}))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with a pause."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"), checks_types=True)
    checkout.write(STEP, PAUSE)
    checkout.insert_after(PIPELINE, "steps.name import name\n", "from stacks.pipeline.steps.pause import pause\n")
    checkout.insert_after(PIPELINE, "        releasing,\n", "        pause,\n")
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
def test_stands_between_saving_and_serving(definitions: dict[str, dict[str, Any]], stack: str) -> None:
    states = definitions[stack]

    assert states["Save Model"]["Next"] == "Pause"
    assert states["Pause"]["Next"] == "Create Endpoint Config"


def test_keeps_the_rules_of_the_house(checkout: Checkout) -> None:
    for command in (("ruff", "check", STEP, PIPELINE), ("ruff", "format", "--check", STEP, PIPELINE), ("mypy", STEP)):
        answer = checkout.run(*command)
        assert answer.returncode == 0, answer.stdout + answer.stderr


# `make test` executes the definition from its beginning to its end, `make test-all` in all that can become of it.
DEFINITION_TESTS = (
    ["tests/stacks/pipeline"]
    if IS_EXHAUSTIVE
    else [f"tests/stacks/pipeline/test_{name}.py" for name in ("tidy", "turns")]
)
# Tests of whole executions know the states that there are.
KNOWING = [
    f"--ignore=tests/stacks/pipeline/test_{name}.py" for name in ("executions", "fault_matrix", "history_length")
]


def test_passes_the_checks_of_security_and_of_the_definition(checkout: Checkout) -> None:
    tests = ("tests/stacks/test_nag.py::test_finds_nothing[dev]", *DEFINITION_TESTS)

    answer = checkout.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *KNOWING, *tests)

    assert answer.returncode == 0, answer.stdout + answer.stderr
