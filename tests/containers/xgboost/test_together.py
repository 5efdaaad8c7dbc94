"""The trees grow on several instances of the local SageMaker, each with its part of the rows."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.shared.job.hosts import find_address, read_addresses
from containers.shared.job.training_job import Job
from containers.xgboost.together import ALONE, describe_error
from headrace.local.sagemaker import Patience, RunnableContainerImage
from tests.headrace.local.sagemaker.cloud import Cloud, s3_channel
from tests.headrace.local.sagemaker.kinds.test_training_jobs import read_members

REPOSITORY = Path(__file__).resolve().parents[3]
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"
LOG = "/aws/sagemaker/TrainingJobs"
PARTS = 6
HYPERPARAMETERS = {
    "num_round": "12",
    "max_depth": "4",
    "objective": "multi:softmax",
    "num_class": "3",
    "eval_metric": "merror,accuracy,f1",
    "nthread": "1",
}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, Patience(job_stop_seconds=10, close_seconds=0.5))
    cloud.registry.images[IMAGE] = RunnableContainerImage(
        entrypoint=(sys.executable, "-m", "containers.xgboost"), working_directory=REPOSITORY, environment={}
    )
    put_rows(cloud)
    yield cloud
    cloud.sagemaker.close()


def put_rows(cloud: Cloud) -> None:
    random = np.random.default_rng(7)
    features = random.random((1800, 4)).round(4)
    labels = (features[:, 0] * 2 + features[:, 1] > 1).astype(int) + (features[:, 2] > 0.6)
    noisy = np.where(random.random(len(labels)) < 0.1, random.integers(0, 3, len(labels)), labels)
    lines = [f"{label},{','.join(map(str, row))}\n" for label, row in zip(noisy, features, strict=True)]
    for part in range(PARTS):
        cloud.s3.put("raw", f"train/{part}.csv", "".join(lines[part:1500:PARTS]).encode())
    cloud.s3.put("raw", "validation/rows.csv", "".join(lines[1500:]).encode())


def request(count: int, **changes: str) -> dict[str, Any]:
    train = s3_channel("s3://raw/train/", ContentType="text/csv")
    train["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return {
        "HyperParameters": HYPERPARAMETERS | changes,
        "InputDataConfig": [train, s3_channel("s3://raw/validation/", "validation", ContentType="text/csv")],
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def read_output(cloud: Cloud, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The evaluation of a job, and the record of its inputs."""
    members = read_members(cloud.s3.buckets["work"][f"models/{name}/output/output.tar.gz"])
    return json.loads(members["evaluation.json"]), json.loads(members["inputs.json"])


@pytest.mark.slow
def test_grows_on_three_instances_what_it_grows_on_one(cloud: Cloud) -> None:
    jobs = [cloud.train_to_end(IMAGE, name, **request(count)) for name, count in (("one", 1), ("three", 3))]

    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Completed"], jobs
    (one, read_by_one), (three, read_by_three) = (read_output(cloud, name) for name in ("one", "three"))
    assert three["metrics"]["validation:accuracy"] == pytest.approx(one["metrics"]["validation:accuracy"], abs=0.03)
    assert three["metrics"]["validation:accuracy"] > three["metrics"]["baseline:accuracy"] + 0.2
    assert three["rows"]["train"] == one["rows"]["train"] == 1500
    assert read_by_three == read_by_one
    assert list(read_members(cloud.s3.buckets["work"]["models/three/output/model.tar.gz"])) == ["xgboost-model"]
    rows = [
        re.findall(r"\btrain\W+(\d+)", event["message"])
        for (_, stream), events in cloud.logs.streams.items()
        for event in events
        if stream.startswith("three/") and "data_read" in event["message"]
    ]
    assert rows == [["500"]] * 3


@pytest.mark.slow
def test_fails_on_all_when_one_is_killed(cloud: Cloud) -> None:
    cloud.train(IMAGE, "killed", **request(3, num_round="1000000"))
    cloud.await_line("[3]")
    trees = {path.name: path for path in (cloud.root / "jobs/TrainingJob/killed").iterdir() if path.is_dir()}
    victim = find_program(trees["algo-2"])

    os.kill(victim, 9)

    job = cloud.sagemaker.wait("TrainingJob", "killed")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: algo-2: SIGKILL ended the program")
    assert cloud.list_records() == []
    assert cloud.list_trees() == []


def find_program(tree: Path) -> int:
    """The program of an instance, and not its guard."""
    mark = f"HEADRACE_ML_ROOT={tree / 'ml'}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (
                mark in (entry / "environ").read_bytes().split(b"\0")
                and b"containers.xgboost" in (words := (entry / "cmdline").read_bytes())
                and b"guard" not in words
            ):
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError(f"no program runs in {tree}")


def test_says_what_an_instance_knows_of_the_others_that_are_gone() -> None:
    job = Job(hyperparameters={}, channels=(), hosts=("algo-1", "algo-2", "algo-3"), host="algo-3")
    error = OSError("Ring Allreduce failed.\n\n- Encountered EOF. The other end is likely closed.\n")

    message = describe_error(job, error)

    assert message == (
        "algo-3 cannot train together with algo-1, algo-2: one of them ended, or did not answer in time. Its own log "
        "stream says why; here XGBoost says: Ring Allreduce failed.; Encountered EOF. The other end is likely closed."
    )


def test_finds_hosts_by_the_variable_and_by_their_names() -> None:
    addresses = read_addresses("algo-1=127.81.4.1,algo-2=127.81.4.2")

    assert find_address("algo-2", addresses) == "127.81.4.2"
    assert find_address("localhost", {}) == "127.0.0.1"
    assert read_addresses("") == {}


def test_gathers_from_itself_alone() -> None:
    values = np.arange(3)

    assert ALONE.gather(values) is values
    assert ALONE.is_first
