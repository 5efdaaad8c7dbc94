"""What jobs and endpoints come to that meet a fault on purpose."""

from collections.abc import Mapping
from typing import Any

import pytest

from headrace.local.sagemaker.errors import SageMakerError
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, await_status, make_config, serve, training_request

SLEEP = "import time\ntime.sleep(3600)"


def authorize(_operation: str, _request: Mapping[str, Any]) -> None:
    """Allow every call; one that has such a function comes from outside."""


@pytest.mark.parametrize(
    ("preset", "status", "reason"),
    [
        ("capacity", "Failed", "CapacityError: Unable to provision requested ML compute capacity."),
        ("job-fails", "Failed", "AlgorithmError: a fault that was injected, exit code: 1"),
        ("container-crashes", "Failed", "AlgorithmError: SIGKILL ended the program, exit code: 137"),
        ("job-hangs", "Stopped", ""),
    ],
)
def test_ends_a_job_as_the_fault_says(cloud: Cloud, preset: str, status: str, reason: str) -> None:
    cloud.inject(preset, "CreateTrainingJob")

    job = cloud.train_to_end(cloud.push_image(SLEEP))

    assert job["TrainingJobStatus"] == status
    assert job.get("FailureReason", "").startswith(reason)
    assert job["SecondaryStatus"] == ("MaxRuntimeExceeded" if preset == "job-hangs" else status)
    assert cloud.list_records() == []


def test_lets_the_next_job_be(cloud: Cloud) -> None:
    image = cloud.push_image("")
    cloud.inject("job-fails", "CreateProcessingJob", resource="first")

    ends = [cloud.process_to_end(image, name)["ProcessingJobStatus"] for name in ("other", "first", "second")]

    assert ends == ["Completed", "Failed", "Completed"]


@pytest.mark.parametrize("preset", ["capacity", "unhealthy"])
def test_fails_an_endpoint(cloud: Cloud, preset: str) -> None:
    make_config(cloud, "first", cloud.push_image(SERVE, name="server"))
    cloud.inject(preset, "CreateEndpoint")

    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="first")

    reason = await_status(cloud, "Failed")["FailureReason"]
    assert ("capacity" if preset == "capacity" else "ping health check") in reason
    assert cloud.list_records() == []


@pytest.mark.parametrize("preset", ["capacity", "unhealthy", "unhealthy-later"])
def test_rolls_an_update_back(cloud: Cloud, preset: str) -> None:
    image = serve(cloud)
    make_config(cloud, "second", image)
    cloud.inject(preset, "UpdateEndpoint")

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")

    endpoint = await_status(cloud, "InService")
    assert endpoint["EndpointConfigName"] == "first"
    assert "rolled back" in endpoint["FailureReason"]
    assert cloud.call("InvokeEndpoint", EndpointName="endpoint", Body=b"1")["Body"].startswith(b"first")


def test_refuses_a_call_before_it_takes_effect(cloud: Cloud) -> None:
    cloud.inject("throttle", "CreateTrainingJob")

    with pytest.raises(SageMakerError) as error:
        cloud.sagemaker.call("CreateTrainingJob", training_request(cloud.push_image("")), authorize)

    assert error.value.code == "ThrottlingException"
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []


def test_loses_the_answer_of_a_call_that_takes_effect(cloud: Cloud) -> None:
    cloud.inject("lost", "CreateTrainingJob")

    with pytest.raises(SageMakerError) as error:
        cloud.sagemaker.call("CreateTrainingJob", training_request(cloud.push_image("")), authorize)

    assert (error.value.code, error.value.status) == ("InternalFailure", 500)
    assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Completed"


def test_lets_what_the_cloud_asks_itself_be(cloud: Cloud) -> None:
    cloud.inject("denied", "ListModels")

    assert cloud.call("ListModels")["Models"] == []
