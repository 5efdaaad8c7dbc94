import json
from pathlib import Path

import pytest

from containers.shared.job.training_failures import JobError
from containers.shared.job.training_job import read_job
from tests.containers.job_roots import write_job


def test_reads_hyperparameters_and_channels(tmp_path: Path) -> None:
    write_job(tmp_path, {"n_estimators": "7"}, {"train": tmp_path})

    job = read_job(tmp_path)

    assert job.hyperparameters == {"n_estimators": "7"}
    assert job.channels == ("train",)


def test_refuses_a_job_with_several_instances(tmp_path: Path) -> None:
    write_job(tmp_path, {}, {}, hosts=("algo-1", "algo-2"))

    with pytest.raises(JobError, match="2 instances, but this program trains on one; set InstanceCount to 1"):
        read_job(tmp_path)


def test_refuses_pipe_mode(tmp_path: Path) -> None:
    write_job(tmp_path, {}, {})
    (tmp_path / "input/config/inputdataconfig.json").write_text(json.dumps({"train": {"TrainingInputMode": "Pipe"}}))

    with pytest.raises(JobError, match="channel 'train' has input mode Pipe"):
        read_job(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is missing"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "holds no JSON object"),
        ('{"epochs": 5}', ": epochs is 5, expected text, as SageMaker writes it"),
        ('{"seed": null}', ": seed is null, expected text"),
    ],
)
def test_names_a_configuration_file_that_cannot_be_used(tmp_path: Path, content: str | None, reason: str) -> None:
    write_job(tmp_path, {}, {})
    path = tmp_path / "input/config/hyperparameters.json"
    path.unlink()
    if content is not None:
        path.write_text(content)

    with pytest.raises(JobError, match=f"hyperparameters.json ?{reason}"):
        read_job(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("resourceconfig.json", {"hosts": None}, "hosts is null, expected an array of names"),
        ("resourceconfig.json", {"hosts": "algo-1"}, 'hosts is "algo-1", expected an array of names'),
        ("resourceconfig.json", {"hosts": [1]}, "a host is 1, expected text"),
        ("resourceconfig.json", {"current_host": None}, "current_host is null, expected text"),
        ("resourceconfig.json", {"hosts": ["a", "b"]}, 'current_host is "", expected one of a, b'),
        ("inputdataconfig.json", {"train": None}, "channel 'train' is null, expected a JSON object"),
        ("inputdataconfig.json", {"train": []}, r"channel 'train' is \[\], expected a JSON object"),
    ],
)
def test_names_what_it_cannot_use_of_a_configuration_file(
    tmp_path: Path, name: str, content: object, reason: str
) -> None:
    write_job(tmp_path, {}, {})
    (tmp_path / "input/config" / name).write_text(json.dumps(content))

    with pytest.raises(JobError, match=f"{name}: {reason}"):
        read_job(tmp_path)


def test_takes_what_a_channel_leaves_open_as_not_said(tmp_path: Path) -> None:
    write_job(tmp_path, {}, {})
    said = {"train": {"ContentType": None, "TrainingInputMode": "Pipe", "RecordWrapperType": None}}
    (tmp_path / "input/config/inputdataconfig.json").write_text(json.dumps(said))

    job = read_job(tmp_path, reads_streams=True)

    assert (job.content_types, job.wrappers) == ({}, {"train": "None"})
