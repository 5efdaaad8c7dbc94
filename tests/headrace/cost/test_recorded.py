"""The bill of an execution that was recorded, and the prediction from others."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headrace.cost.lines import total
from headrace.cost.prediction import predict
from headrace.cost.recorded import Recorded, RecordingError, read_job, read_recorded
from headrace.inventory import usual_prices
from tests.conftest import PROJECT

TRAINING = {
    "TrainingJobName": "t",
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30},
    "TrainingTimeInSeconds": 400,
    "BillableTimeInSeconds": 300,
}
PROCESSING = {
    "ProcessingJobName": "p",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
    },
    "ProcessingStartTime": 1_764_000_000_000,
    "ProcessingEndTime": 1_764_000_090_000,
}
TRANSFORM = {
    "TransformJobName": "b",
    "TransformResources": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    "TransformStartTime": "2026-11-29T10:00:00+00:00",
    "TransformEndTime": "2026-11-29T10:01:00+00:00",
}


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    stamp = {"id": number, "previousEventId": number - 1, "timestamp": f"2026-11-29T10:00:{number:02}+00:00"}
    return {**stamp, "type": kind, **details}


def entered(number: int, name: str) -> dict[str, Any]:
    return event(number, "TaskStateEntered", stateEnteredEventDetails={"name": name})


def left(number: int, name: str) -> dict[str, Any]:
    return event(number, "TaskStateExited", stateExitedEventDetails={"name": name})


HISTORY = {
    "events": [
        event(1, "ExecutionStarted"),
        entered(2, "Preprocess"),
        event(3, "TaskScheduled"),
        event(4, "TaskFailed", taskFailedEventDetails={"error": "SageMaker.ThrottlingException", "cause": "slow down"}),
        event(5, "TaskScheduled"),
        event(6, "TaskSucceeded", taskSucceededEventDetails={"output": json.dumps(PROCESSING)}),
        left(7, "Preprocess"),
        entered(8, "Train"),
        event(9, "TaskScheduled"),
        event(10, "TaskFailed", taskFailedEventDetails={"error": "States.TaskFailed", "cause": json.dumps(TRAINING)}),
        event(11, "ExecutionFailed", executionFailedEventDetails={"error": "States.TaskFailed"}),
    ]
}


def test_bills_an_execution_exactly_by_its_seconds(tmp_path: Path) -> None:
    recorded = read_recorded(write(tmp_path / "run.json", HISTORY))

    by_hand = sum(
        (
            90 / 3600 * 0.23,  # processing
            10 * 90 / 3600 / 730 * 0.10,  # its volume
            2 * 300 / 3600 * 0.23,  # training on two machines, by the seconds that are billed; it failed all the same
            2 * 30 * 300 / 3600 / 730 * 0.14,  # their volumes
            3 * 0.025 / 1000,  # two states, and one retry
        )
    )
    assert total(recorded.list_lines(usual_prices())) == pytest.approx(by_hand, rel=1e-12)


def test_bills_descriptions_of_jobs(tmp_path: Path) -> None:
    recorded = read_recorded(write(tmp_path / "jobs.json", [TRANSFORM]))

    # SageMaker bills no volume of transform jobs. No history says how many states there were.
    assert total(recorded.list_lines(usual_prices())) == pytest.approx(60 / 3600 * 1.408, rel=1e-12)


def test_reads_the_times_of_a_client() -> None:
    start = datetime(2026, 11, 29, 10, tzinfo=UTC)

    job = read_job({**PROCESSING, "ProcessingStartTime": start, "ProcessingEndTime": start.replace(minute=2)})

    assert job is not None
    assert job.seconds == 120


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "describes no job that has ended"),
        ({"events": HISTORY["events"][:3]}, "--include-execution-data"),
        ({"TrainingJobName": "t", "TrainingTimeInSeconds": 4}, "neither a history nor the description of a job"),
        ([3], "neither a history nor the description of a job"),
        ({**TRAINING, "TrainingTimeInSeconds": "soon", "BillableTimeInSeconds": "soon"}, "neither a history"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_recorded(write(tmp_path / "file.json", content))


def recorded(seconds: float, instance_type: str = "ml.m5.xlarge") -> Recorded:
    resources = {**TRAINING["ResourceConfig"], "InstanceType": instance_type}  # type: ignore[dict-item]
    job = read_job({**TRAINING, "ResourceConfig": resources, "BillableTimeInSeconds": seconds})
    assert job is not None
    return Recorded("run", (job,), 20)


def test_predicts_the_start_and_the_time_that_data_take() -> None:
    # 60 seconds to begin with, and 2 for each GB.
    predicted = predict("next", 50, [(recorded(80), 10), (recorded(100), 20)])

    assert [job.seconds for job in predicted.jobs] == [pytest.approx(160)]


def test_predicts_no_job_of_less_than_a_second() -> None:
    predicted = predict("next", 1, [(recorded(10), 10), (recorded(100), 20)])

    assert [job.seconds for job in predicted.jobs] == [1.0]


def test_refuses_to_predict_from_one_amount_or_from_other_machines() -> None:
    with pytest.raises(RecordingError, match="two amounts"):
        predict("next", 1, [(recorded(10), 10), (recorded(12), 10)])
    with pytest.raises(RecordingError, match="other machines"):
        predict("next", 1, [(recorded(10), 10), (recorded(12, "ml.g5.xlarge"), 20)])


def test_predicts_within_a_quarter_what_an_execution_on_a_busy_machine_has_cost(tmp_path: Path) -> None:
    # Executions of Big Mart on the local cloud, over 34,092, 68,184 and 136,368 rows.
    runs = json.loads((PROJECT / "tests/recordings/executions-of-three-sizes.json").read_text())
    *known, (run, size) = [
        (read_recorded(write(tmp_path / f"{rows}.json", jobs)), float(rows)) for rows, jobs in runs.items()
    ]

    cost, predicted = (total(each.list_lines(usual_prices())) for each in (run, predict("next", size, known)))

    assert predicted == pytest.approx(cost, rel=0.25)


def test_says_that_groups_of_instances_cannot_be_priced() -> None:
    groups = [{"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "InstanceGroupName": "a"}]

    with pytest.raises(RecordingError, match=r"^t: a job with groups of instances cannot be priced"):
        read_job({**TRAINING, "ResourceConfig": {"InstanceGroups": groups, "VolumeSizeInGB": 30}})
