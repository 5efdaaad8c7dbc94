import time
from typing import Any

import pytest

from headrace.local.faults import Faults, read_fault
from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.kinds import training_jobs
from headrace.local.sagemaker.kinds.training_jobs import TrainingJob
from tests.headrace.local.sagemaker.cloud import Cloud, find_training_jobs, s3_channel
from tests.patience import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    "CheckpointConfig": {"S3Uri": "s3://work/checkpoints/"},
}
# Leaves one checkpoint a run, and ends when there are three of the earlier ones.
COUNT_RUNS = """
    import signal
    folder = ml / 'checkpoints'
    runs = len(list(folder.glob('run-*')))
    leftovers = sorted(path.name for path in (ml / 'model').iterdir())
    print('found', runs, leftovers, (ml / 'input/data/train/a.csv').read_text())
    (ml / 'model' / 'model.txt').write_text(str(runs))
    if runs < 3:
        (folder / f'run-{runs}').write_text(str(runs))
        signal.signal(15, lambda *_: ((folder / f'warned-{runs}').touch(), os._exit(143)))
        print('saved', runs)
        while True:
            signal.pause()
"""


def await_key(cloud: Cloud, key: str) -> None:
    """Return once an object is stored, which no event says."""
    wait_until(lambda: key in cloud.s3.keys("work"), key)


def interrupt_three_times(cloud: Cloud, **how: Any) -> dict[str, Any]:
    cloud.s3.put("raw", "train/a.csv", b"1")
    cloud.train(cloud.push_image(COUNT_RUNS), InputDataConfig=[s3_channel("s3://raw/train/")], **SPOT)
    for run in range(3):
        await_key(cloud, f"checkpoints/run-{run}")
        find_training_jobs(cloud).interrupt("job", **how)
    return cloud.sagemaker.wait("TrainingJob", "job")


def test_starts_the_program_again_with_its_checkpoints_and_nothing_else(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_jobs, "CHECKPOINTS_INTERVAL_SECONDS", 0.02)

    job = interrupt_three_times(cloud, grace_seconds=0)

    assert job["TrainingJobStatus"] == "Completed"
    found = [line for line in cloud.logs.lines("/aws/sagemaker/TrainingJobs") if line.startswith("found")]
    assert found == [f"found {runs} [] 1" for runs in range(4)]
    statuses = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    lost = ["Starting", "Downloading", "Training", "Interrupted"]
    assert statuses == [*lost * 3, "Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert not [key for key in cloud.s3.keys("work") if "warned" in key]
    assert cloud.list_trees() == cloud.list_records() == []


def test_warns_a_program_and_stores_what_it_saves_then(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_jobs, "CHECKPOINTS_INTERVAL_SECONDS", 0.02)

    interrupt_three_times(cloud)

    assert [key for key in cloud.s3.keys("work") if "warned" in key] == [
        f"checkpoints/warned-{run}" for run in range(3)
    ]


def test_bills_a_part_of_the_time_on_spot_instances(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_jobs, "SPOT_BILLED_PART", 0.001)
    image = cloud.push_image("import time; time.sleep(1.1)")

    spot, other = cloud.train_to_end(image, "spot", **SPOT), cloud.train_to_end(image, "other")

    assert 1 == spot["BillableTimeInSeconds"] < spot["TrainingTimeInSeconds"]
    assert other["BillableTimeInSeconds"] == other["TrainingTimeInSeconds"]


WAIT = "import signal; print('ready'); signal.pause()"


def start_waiting(cloud: Cloud, **changes: Any) -> TrainingJob:
    cloud.train(cloud.push_image(WAIT), **changes)
    cloud.await_line("ready")
    return find_training_jobs(cloud).find("job")


def add_interruption(cloud: Cloud) -> Faults:
    faults = find_training_jobs(cloud).find("job").host.faults
    faults.add(read_fault({"preset": "spot-interruption", "operation": "sagemaker:CreateTrainingJob"}))
    return faults


def test_is_interrupted_by_a_fault_while_it_trains(cloud: Cloud) -> None:
    job = start_waiting(cloud, **SPOT)

    faults = add_interruption(cloud)

    wait_until(lambda: [each["Status"] for each in job.transitions].count("Training") == 2, "the second training")
    assert [fault.left for fault in faults.list()] == [0]
    cloud.call("StopTrainingJob", TrainingJobName="job")


def test_leaves_an_interruption_to_jobs_on_spot_instances(cloud: Cloud) -> None:
    start_waiting(cloud)

    faults = add_interruption(cloud)

    assert [fault.left for fault in faults.list()] == [1]
    cloud.call("StopTrainingJob", TrainingJobName="job")


def test_gives_up_when_instances_stay_away_longer_than_it_may_wait(cloud: Cloud) -> None:
    job = start_waiting(cloud, **SPOT)
    job._wait_deadline = time.monotonic()

    job.interrupt(lasts_seconds=3600)

    described = cloud.sagemaker.wait("TrainingJob", "job")
    assert described["TrainingJobStatus"] == "Stopped"
    assert described["SecondaryStatus"] == "MaxWaitTimeExceeded"


def test_stops_while_it_waits_for_instances(cloud: Cloud) -> None:
    job = start_waiting(cloud, **SPOT)
    job.interrupt(lasts_seconds=3600)
    with job.changed:
        assert job.changed.wait_for(lambda: job.transitions[-1]["Status"] == "Interrupted", PATIENCE_SECONDS)

    cloud.call("StopTrainingJob", TrainingJobName="job")

    assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Stopped"


def test_refuses_to_interrupt_what_is_not_on_spot_instances(cloud: Cloud) -> None:
    start_waiting(cloud)

    with pytest.raises(SageMakerError, match="job is in status Training, on instances that are not spot instances"):
        find_training_jobs(cloud).interrupt("job")


def test_refuses_to_interrupt_what_does_not_run(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image(""), **SPOT)

    with pytest.raises(SageMakerError, match="job is in status Completed, on spot instances"):
        find_training_jobs(cloud).interrupt("job")


def test_keeps_the_checkpoints_of_a_program_that_fails(cloud: Cloud) -> None:
    program = "(ml / 'checkpoints' / 'one').write_text('1'); sys.exit(1)"

    cloud.train_to_end(cloud.push_image(program), **SPOT)

    assert cloud.s3.keys("work") == ["checkpoints/one"]
