"""A pause before the endpoint is changed is a step's file and its entry."""

from typing import Final

from tests.drills.addition import Addition
from tests.drills.checkout import Checkout
from tests.examples import IS_EXHAUSTIVE

_STEP: Final = "stacks/pipeline/steps/pause.py"
_PIPELINE: Final = "stacks/constructs/training_pipeline.py"
_PAUSE: Final = '''"""Let clients prepare for the next model."""

from collections.abc import Mapping

from stacks.pipeline.asl import State, Wait


def pause(after: str) -> Mapping[str, State]:
    """Wait for five seconds."""
    return {"Pause": Wait(seconds=5, next=after)}
'''
_TEST: Final = """
import pytest

from tests.stacks.conftest import read_definition, template_of


@pytest.mark.parametrize("stack", ["BigMart", "Images"])
def test_stands_between_saving_and_serving(stack: str) -> None:
    states = read_definition(template_of(stack).to_json())["States"]

    assert states["Save Model"]["Next"] == "Pause"
    assert states["Pause"]["Next"] == "Create Endpoint Config"
"""
_TURNS: Final = "tests/stacks/pipeline/test_turns.py"
# Tests of whole executions know the states that there are.
_KNOWING: Final = ("executions", "fault_matrix", "history_length")


def _add(checkout: Checkout) -> None:
    checkout.write(_STEP, _PAUSE)
    checkout.insert_after(_PIPELINE, "steps.name import name\n", "from stacks.pipeline.steps.pause import pause\n")
    checkout.insert_after(_PIPELINE, "        releasing,\n", "        pause,\n")


STEP: Final = Addition(
    name="a step",
    add=_add,
    touches=frozenset({_STEP, _PIPELINE}),
    added_lines={_PIPELINE: 2},
    # `make test` executes the definition from its beginning to its end, `make test-all` in all that can become of it.
    tests=(
        "tests/stacks/test_nag.py::test_finds_nothing[dev]",
        *(
            ("tests/stacks/pipeline", *(f"--ignore=tests/stacks/pipeline/test_{name}.py" for name in _KNOWING))
            if IS_EXHAUSTIVE
            else (
                f"{_TURNS}::test_takes_the_turn_before_anything_is_paid_for_and_gives_it_back",
                f"{_TURNS}::test_gives_the_turn_back_when_the_model_is_refused",
            )
        ),
    ),
    own_tests={"tests/stacks/pipeline/test_pause.py": _TEST},
)
