"""A drawing is SVG that says everything in words, too, and that nothing in a definition can break out of."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.definition import Machine, read_definition
from headrace.pipeline.drawing import draw_execution, draw_machine
from headrace.pipeline.history import Execution, read_history
from tests.conftest import PROJECT
from tests.headrace.pipeline.events import BEGIN, Events
from tests.headrace.pipeline.machines import ORDERS

SVG = "{http://www.w3.org/2000/svg}"
EXECUTION = Execution(arn="", name="run-1", machine_arn="", status="RUNNING", started=BEGIN)


def read_orders() -> Machine:
    return read_definition(json.dumps(ORDERS), "orders.json")


def parse(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314 (our own)


def list_texts(drawn: str) -> list[str]:
    return [element.text or "" for element in parse(drawn).iter(f"{SVG}text")]


def list_boxes(drawn: str) -> Iterator[tuple[str, str, list[str]]]:
    """Each state's full name, class, and what is written in its box."""
    for group in parse(drawn).iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None and group.find(f"{SVG}rect[@class='box']") is not None:
            texts = [text.text or "" for text in group.findall(f"{SVG}text")]
            yield (title.text or "").rpartition(" (")[0], group.get("class", ""), texts


def count_taken(drawn: str) -> int:
    return len(re.findall(r'<path class="way[a-z ]* taken"', drawn))


def run_orders() -> Events:
    """An order that was valid only the second time, and that is being packed."""
    events = Events()
    events.work("Validate")
    events.enter("Is In Stock", "Choice")
    events.leave("Is In Stock", "Choice")
    events.enter("Wait", "Wait")
    events.leave("Wait", "Wait")
    events.work("Validate")
    events.enter("Is In Stock", "Choice")
    events.leave("Is In Stock", "Choice")
    events.enter("Both", "Parallel")
    started = events.add("ParallelStateStarted")
    events.work("Charge", after=started)
    events.enter("Pack", "Map", after=started)
    return events


def test_draws_every_state_with_what_it_does() -> None:
    drawn = draw_machine(read_orders(), "orders")

    boxes = {name: texts for name, _, texts in list_boxes(drawn)}
    assert boxes["Validate"] == ["Validate", "Lambda: Invoke"]
    assert boxes["Label"] == ["Label", "Lambda: label"]
    assert boxes.keys() == {state.name for state in read_orders().walk()}
    assert {"Start", "End", "Default", "$.stock > 0", "Catch #1: OrderInvalid"} <= set(list_texts(drawn))


def test_says_in_words_what_it_shows() -> None:
    root = parse(draw_machine(read_orders(), "orders"))

    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "orders"
    assert root[1].tag == f"{SVG}desc"
    assert root[1].text == "From an order to a parcel. A state machine of 10 states, of which Validate is the first."


def test_writes_each_status_beside_its_colour() -> None:
    drawn = draw_execution(read_orders(), "orders", EXECUTION, read_history(run_orders().all))

    boxes = {name: (style, texts[-1]) for name, style, texts in list_boxes(drawn)}
    assert boxes["Validate"] == ("succeeded", "succeeded, 8.0 s, 2 visits")
    assert boxes["Both"] == ("running", "running")
    assert boxes["Charge"] == ("succeeded", "succeeded, 4.0 s")
    assert boxes["Label"] == ("unreached", "not reached")
    description = parse(drawn)[1].text or ""
    assert description.startswith("run-1 running. Succeeded: Validate, Is In Stock, Wait, Charge. Running: Both, Pack.")
    assert {"Succeeded", "Failed", "Caught error", "Running", "Aborted", "Not reached"} <= set(list_texts(drawn))


def test_marks_the_ways_that_an_execution_has_gone() -> None:
    drawn = draw_execution(read_orders(), "orders", EXECUTION, read_history(run_orders().all))

    # From the start, into the choice, to the wait and back, and to the branches.
    assert count_taken(drawn) == 5
    assert count_taken(draw_machine(read_orders(), "orders")) == 0


def test_marks_the_way_of_a_caught_error_and_says_what_failed() -> None:
    events = Events()
    events.enter("Validate")
    for _ in range(3):
        events.add("TaskScheduled")
        events.add("TaskFailed", error="Lambda.Unknown", cause="it is broken")
    events.leave("Validate")
    events.enter("Broken", "Fail")
    end = events.add("ExecutionFailed", error="Broken")
    execution = replace(
        EXECUTION, status="FAILED", stopped=events.all[end - 1]["timestamp"], error="Broken", cause="it is broken"
    )

    drawn = draw_execution(read_orders(), "orders", execution, read_history(events.all))

    boxes = {name: (style, texts[-1]) for name, style, texts in list_boxes(drawn)}
    assert boxes["Validate"] == ("caught", "caught error, 7.0 s, 3 tries")
    assert boxes["Broken"][0] == "failed"
    assert "run-1 failed after 11.0 s: Broken" in list_texts(drawn)
    assert len(re.findall('<path class="way catch taken"', drawn)) == 1
    assert count_taken(drawn) == 3


def name_states(name: str) -> dict[str, Any]:
    """A machine with something hostile wherever an author can write."""
    rules = [{"Variable": name, "StringEquals": name, "Next": name}]
    return {
        "Comment": name,
        "StartAt": name,
        "States": {
            name: {
                "Type": "Task",
                "Resource": f"arn:aws:lambda:eu-west-1:123456789012:function:{name}",
                "Next": "Choose",
                "Catch": [{"ErrorEquals": [name], "Next": name}],
            },
            "Choose": {"Type": "Choice", "Choices": rules, "Default": "Inside"},
            "Inside": {
                "Type": "Map",
                "Iterator": {"StartAt": f"{name}'", "States": {f"{name}'": {"Type": "Pass", "End": True}}},
                "End": True,
            },
        },
    }


@pytest.mark.parametrize(
    "name",
    [
        "</text><script>alert(1)</script>",
        '"><svg onload="alert(1)">',
        "]]> <!-- & &lt; -->",
        "a\x00\x1b[31m\x07",
        "\ud800",
        "\u202eabc",
        "状態" * 40,
        "x" * 80,
        " ",
        "\n",
        "start",
        "=",
    ],
    ids=ascii,
)
def test_shows_hostile_names_as_text(name: str) -> None:
    machine = read_definition(json.dumps(name_states(name)), "here")
    events = Events()
    events.enter(name)
    events.add("TaskScheduled")
    events.add("ExecutionFailed", error=name, cause=name)
    execution = replace(EXECUTION, name=name, status="FAILED", stopped=BEGIN, error=name, cause=name)

    for drawn in (draw_machine(machine, name), draw_execution(machine, name, execution, read_history(events.all))):
        tags = {element.tag.removeprefix(SVG) for element in parse(drawn).iter()}
        assert tags == {"svg", "title", "desc", "style", "rect", "text", "g", "path"}
        assert not [key for element in parse(drawn).iter() for key in element.attrib if key.startswith("on")]
        drawn.encode("utf-8")


@given(st.text(min_size=1, max_size=90))
def test_draws_whatever_states_are_called(name: str) -> None:
    machine = read_definition(json.dumps(name_states(name)), "here")

    assert parse(draw_machine(machine, name)).tag == f"{SVG}svg"


def test_needs_nothing_else() -> None:
    drawn = draw_execution(read_orders(), "orders", EXECUTION, read_history(run_orders().all))

    addresses = set(re.findall(r"\w+://[^\"' )]+", drawn))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"href|url\(|@import|@font-face|<image|<script", drawn)


def test_styles_nothing_but_itself() -> None:
    style = parse(draw_machine(read_orders(), "orders")).find(f"{SVG}style")

    assert style is not None
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", (style.text or "").replace("@media (prefers-color-scheme:dark){", ""))
    assert rules
    assert all(part.startswith(".hr-graph ") for rule in rules for part in rule.split(","))
    assert "@media (prefers-color-scheme:dark){" in (style.text or "")


@pytest.mark.slow
def test_draws_the_same_whatever_the_hash_seed() -> None:
    program = (
        "import json; from tests.headrace.pipeline.test_drawing import *; "
        "print(draw_execution(read_orders(), 'orders', EXECUTION, read_history(run_orders().all)))"
    )

    drawn = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(PROJECT)},
            cwd=PROJECT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(drawn) == 1


def test_writes_few_words_of_long_labels_and_all_of_them_for_the_pointer() -> None:
    machine = read_orders()
    rule = {"Condition": "{% " + "$a and " * 20 + "$b %}", "Next": "Sent"}
    definition = json.loads(json.dumps(ORDERS))
    definition["States"]["Is In Stock"]["Choices"] = [rule, {**rule, "Comment": "Second"}]
    definition["States"]["Is In Stock"]["Default"] = "Wait"
    machine = read_definition(json.dumps(definition), "orders.json")

    drawn = draw_machine(machine, "orders")

    (label,) = (text for text in list_texts(drawn) if text.startswith("$a and"))
    assert label.endswith("… + 1 more")
    assert len(label) <= 30
    assert any((title.text or "").endswith("$a and $b; Second") for title in parse(drawn).iter(f"{SVG}title"))
