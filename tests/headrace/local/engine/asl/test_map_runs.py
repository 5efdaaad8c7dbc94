"""Runs of distributed Map states: what is said of them, and the files of their results.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from headrace.local.engine.asl.flows import MapRun
from tests.headrace.local.engine.asl.test_cases import Run
from tests.headrace.local.engine.asl.test_execution import ANSWERS, FAILS, list_types, make_task, start, wrap

PUT = "arn:aws:states:::s3:putObject"
WRITER = {"Resource": PUT, "Arguments": {"Bucket": "results", "Prefix": "{% $states.input.at %}"}}
# One for each file that is written.
PUTS: list[dict[str, Any]] = [{"result": {}}] * 4


def make_map(items: Any, item: Mapping[str, Any], **further: Any) -> dict[str, Any]:
    """A distributed Map state that does one thing with each item."""
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **wrap("Item", item)}
    return {"Type": "Map", "Label": "Each", "Items": items, "ItemProcessor": processor, "End": True, **further}


def end_map(state: Mapping[str, Any], mocks: Mapping[str, Any] | None = None) -> tuple[Run, MapRun]:
    run = start({"Map": state}, {"Map": PUTS, **(mocks or {})}, given={"at": "out/"})
    run.go_on()
    return run, run.tasks.map_runs[0]


def read_files(run: Run) -> dict[str, Any]:
    """What was written, by its key without the folder of the Map run."""
    written = {asked["Key"]: asked["Body"] for asked in run.tasks.inputs["Map"]}
    return {key.rpartition("/")[2]: body for key, body in written.items()}


PASS: Mapping[str, Any] = {"Type": "Pass", "End": True}


def test_writes_results_and_a_manifest_that_names_them() -> None:
    run, map_run = end_map(make_map([1, 2], PASS, ResultWriter=WRITER))

    files = read_files(run)
    key = f"out/{map_run.id}/manifest.json"
    assert run.execution.output == {
        "MapRunArn": map_run.arn,
        "ResultWriterDetails": {"Bucket": "results", "Key": key},
    }
    assert list(files) == ["SUCCEEDED_0.json", "manifest.json"]
    assert json.loads(files["manifest.json"]) == {
        "DestinationBucket": "results",
        "MapRunArn": map_run.arn,
        "ResultFiles": {
            "FAILED": [],
            "PENDING": [],
            "SUCCEEDED": [{"Key": f"out/{map_run.id}/SUCCEEDED_0.json", "Size": len(files["SUCCEEDED_0.json"])}],
        },
    }
    first, _ = json.loads(files["SUCCEEDED_0.json"])
    assert first["ExecutionArn"].startswith("arn:aws:states:us-east-1:000000000000:execution:machine/Each:")
    assert first["StateMachineArn"].endswith(":stateMachine:machine/Each")
    assert (first["Input"], first["Output"], first["Status"]) == ("1", "1", "SUCCEEDED")
    assert first["InputDetails"] == first["OutputDetails"] == {"Included": True}


def test_writes_what_failed_and_what_never_began_of_a_run_that_fails() -> None:
    state = make_map([1, 2, 3], make_task(), ResultWriter=WRITER, MaxConcurrency=1)
    run, map_run = end_map(state, {"Item": [ANSWERS, FAILS]})

    files = {name: json.loads(body) for name, body in read_files(run).items()}
    assert run.execution.error == "States.ExceedToleratedFailureThreshold"
    assert [len(files[f"{name}_0.json"]) for name in ("SUCCEEDED", "FAILED", "PENDING")] == [1, 1, 1]
    (failed,) = files["FAILED_0.json"]
    assert (failed["Error"], failed["Cause"], failed["Status"]) == ("E", "boom", "FAILED")
    assert map_run.status == "FAILED"


@pytest.mark.parametrize(
    ("config", "content"),
    [
        ({"Transformation": "COMPACT"}, "[[1,2],3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSON"}, "[1,2,3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, "1\n2\n3"),
    ],
)
def test_writes_outputs_as_they_are_asked_for(config: Mapping[str, str], content: str) -> None:
    run, _ = end_map(make_map([[1, 2], 3], PASS, ResultWriter={**WRITER, "WriterConfig": config}))

    (written,) = (body for name, body in read_files(run).items() if name.startswith("SUCCEEDED_0."))
    assert written == content


def test_passes_outputs_on_as_they_are_asked_for() -> None:
    run, _ = end_map(make_map([[1, 2], 3], PASS, ResultWriter={"WriterConfig": {"Transformation": "FLATTEN"}}))

    assert run.execution.output == [1, 2, 3]


def test_fails_where_results_cannot_be_written() -> None:
    run = start({"Map": make_map([1], PASS, ResultWriter=WRITER)}, {"Map": [FAILS]}, given={"at": "out"})

    run.go_on()

    assert (run.execution.error, run.execution.cause) == ("States.ResultWriterFailed", "E: boom")


def test_counts_items_and_executions() -> None:
    state = make_map([1, 2, 3], make_task(), ItemBatcher={"MaxItemsPerBatch": 2}, ToleratedFailureCount=1)
    _, map_run = end_map(state, {"Item": [ANSWERS, FAILS]})

    described = map_run.describe()
    assert described["status"] == "SUCCEEDED"
    assert Counter(described["itemCounts"]) == Counter(succeeded=2, failed=1, total=3)
    assert Counter(described["executionCounts"]) == Counter(succeeded=1, failed=1, total=2)


def test_says_to_an_execution_of_a_run_what_it_is_called() -> None:
    named = {"Type": "Pass", "End": True, "Output": "{% $states.context.Execution.Id %}"}
    run, map_run = end_map(make_map([1], named))

    assert run.execution.output == [map_run.children[0].arn]


def test_goes_on_with_the_run_that_failed_and_repeats_nothing() -> None:
    run = start({"Map": make_map([1, 2], make_task())}, {"Item": [ANSWERS, FAILS, ANSWERS]})
    run.go_on()

    run.execution.redrive()
    run.go_on()

    assert run.execution.status == "SUCCEEDED"
    assert run.tasks.calls["Item"] == 3
    assert len({map_run.arn for map_run in run.tasks.map_runs}) == 1
    assert run.tasks.map_runs[0].redrives == 1
    assert [kind for kind in list_types(run) if kind.startswith("MapRun")] == [
        "MapRunStarted",
        "MapRunFailed",
        "MapRunRedriven",
        "MapRunSucceeded",
    ]


def test_begins_another_run_when_the_state_is_tried_again() -> None:
    state = make_map([1], make_task(), Retry=[{"ErrorEquals": ["States.ALL"]}])
    run = start({"Map": state}, {"Item": [FAILS, ANSWERS]})

    run.go_on()

    assert len({map_run.arn for map_run in run.tasks.map_runs}) == 2
