"""The history of an execution stays below the 25,000 events that Step Functions allows, however long it must wait.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import re
from typing import Final

import pytest

from tests.conftest import PROJECT
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import ENVIRONMENTS, SWITCHES, find_resources, read_definition
from tests.stacks.executions import fill_tokens
from tests.stacks.pipeline.fault_matrix import read_machines
from tests.stacks.pipeline.histories import LOOPS, bound_events

MOST_EVENTS: Final = 25_000
# That of prod, which is longer than that of dev.
TIMEOUT_SECONDS: Final = 12 * 3600
# Waits in loops that a variable counts to a few.
COUNTED: Final = re.compile(r"Wait For .* Quota|Wait To Look Again|Pause Before Turn")
SETTINGS: Final = (*ENVIRONMENTS, "guard", "batch", "scaling", "spot", "fsx-per-run", "drift", "serverless", "hours")


def bound_all(variant: str) -> dict[str, int]:
    """The longest history of each state machine of a variant, with the time that prod has."""
    return {name: bound_events(machine, TIMEOUT_SECONDS) for name, machine in read_machines(variant).items()}


def test_prod_has_that_time() -> None:
    found = {machine["TimeoutSeconds"] for machine in read_machines("prod").values() if "Train" in machine["States"]}

    assert found == {TIMEOUT_SECONDS}


@pytest.mark.parametrize("variant", SETTINGS)
def test_stays_far_below_the_longest_history(variant: str) -> None:
    assert {name: bound for name, bound in bound_all(variant).items() if bound >= 0.85 * MOST_EVENTS} == {}


@pytest.mark.parametrize(
    ("wait_seconds", "timeout_seconds"), [(20, 3600), (20, 5 * 3600), (60, 3600), (120, 3600), (120, 5 * 3600)]
)
def test_stays_below_it_in_the_time_of_dev_however_often_golden_requests_are_asked(
    wait_seconds: int, timeout_seconds: int
) -> None:
    settings = {
        **SWITCHES["hours"],
        "bigmart.endpoint.golden": {},
        "bigmart.endpoint.metrics_seconds": 10,
        "bigmart.endpoint.update": {"wait_seconds": wait_seconds, "timeout_seconds": timeout_seconds},
    }
    machine = fill_tokens(read_definition(template_with("BigMart", "dev", settings).to_json()))

    assert bound_events(machine, machine["TimeoutSeconds"]) < MOST_EVENTS


@pytest.mark.parametrize("variant", SETTINGS)
def test_knows_every_wait(variant: str) -> None:
    states = [found for machine in read_machines(variant).values() for found in machine["States"].items()]
    waits = {name for name, state in states if state["Type"] == "Wait"}

    assert [name for name in waits - LOOPS.keys() if not COUNTED.fullmatch(name)] == []


def test_counts_a_loop_for_no_longer_than_its_counter_allows() -> None:
    machine = {
        "StartAt": "Wait To Stop",
        "States": {
            "Wait To Stop": {"Type": "Wait", "Seconds": "{% 10 * $stop_polls %}", "Next": "Find Serving Endpoint"},
            "Find Serving Endpoint": {"Type": "Choice", "Choices": [], "Default": "Endpoint Can Be Stopped"},
            "Endpoint Can Be Stopped": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $stop_polls < 3 %}", "Next": "Wait To Stop"}],
                "Default": "Done",
            },
            "Done": {"Type": "Succeed"},
        },
    }

    # Its beginning and its end, four states eight times, and rounds of three states.
    assert bound_events(machine, 1_000_000) == 2 + 8 * 8 + 3 * 6
    assert bound_events(machine, 25) == 2 + 8 * 8 + 6 + 5


def test_counts_the_states_of_one_action_at_a_time() -> None:
    choices = [{"Condition": f"{{% $action = '{action}' %}}", "Next": action} for action in ("STOP", "START")]
    machine = {
        "StartAt": "Endpoint Action Given",
        "States": {
            "Endpoint Action Given": {"Type": "Choice", "Choices": choices, "Default": "Train"},
            "STOP": {"Type": "Pass", "Next": "Done"},
            "START": {"Type": "Pass", "Next": "STOP"},
            "Train": {"Type": "Pass", "Next": "Done"},
            "Done": {"Type": "Succeed"},
        },
    }

    assert bound_events(machine, 60) == 2 + 8 * 2 * 4


def test_the_page_shows_the_longest_histories() -> None:
    page = (PROJECT / "docs" / "pipeline-faults.md").read_text()
    usual = max(bound for variant in ENVIRONMENTS for bound in bound_all(variant).values())
    longest = max(bound for variant in SETTINGS for bound in bound_all(variant).values())

    assert f"at most {usual:,} events" in page
    assert f"{longest:,} with" in page


def test_the_definition_stands_whole_in_the_template() -> None:
    for machine in find_resources("dev", "AWS::StepFunctions::StateMachine").values():
        assert "DefinitionString" in machine["Properties"]
        assert not {"Definition", "DefinitionS3Location", "DefinitionSubstitutions"} & machine["Properties"].keys()
