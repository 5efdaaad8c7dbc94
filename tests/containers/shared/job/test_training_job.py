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
    ("content", "reason"), [(None, "is missing"), ("{", "is not JSON"), ("[]", "holds no JSON object")]
)
def test_names_a_configuration_file_that_cannot_be_used(tmp_path: Path, content: str | None, reason: str) -> None:
    write_job(tmp_path, {}, {})
    path = tmp_path / "input/config/hyperparameters.json"
    path.unlink()
    if content is not None:
        path.write_text(content)

    with pytest.raises(JobError, match=f"hyperparameters.json {reason}"):
        read_job(tmp_path)
