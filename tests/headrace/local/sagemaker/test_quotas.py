"""What the account may not have is refused as SageMaker refuses it, before anything runs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.local.limits import Limits
from headrace.local.sagemaker import Patience, SageMakerError
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, make_config

pytestmark = pytest.mark.slow

WAIT = "import signal\nsignal.pause()\n"
MakeCloud = Callable[[dict[str, int]], Cloud]


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[MakeCloud]:
    """Makes a control plane of an account with quotas."""
    made: list[Cloud] = []

    def make(quotas: dict[str, int]) -> Cloud:
        made.append(Cloud(tmp_path, Patience(close_seconds=0.1), limits=Limits(quotas)))
        return made[-1]

    yield make
    for cloud in made:
        cloud.sagemaker.close()


def refuse(work: Callable[..., Any], *arguments: Any, **changes: Any) -> str:
    with pytest.raises(SageMakerError) as refused:
        work(*arguments, **changes)
    assert refused.value.code == "ResourceLimitExceeded"
    return refused.value.message


def test_refuses_a_job_in_the_words_of_sagemaker_where_the_quota_is_0(limited: MakeCloud) -> None:
    cloud = limited({"* for training job usage": 0})
    image = cloud.push_image("")

    assert refuse(cloud.train, image) == (
        "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances, with current utilization "
        "of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for "
        "this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota."
    )
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []


def test_counts_what_runs_and_what_is_asked_for(limited: MakeCloud) -> None:
    cloud = limited({"ml.m5.large for training job usage": 2})
    image = cloud.push_image(WAIT)
    cloud.train(image, "first")

    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
    message = refuse(cloud.train, image, "second", ResourceConfig=resources)

    assert "is 2 Instances, with current utilization of 1 Instances and a request delta of 2 Instances" in message
    cloud.train(image, "third")


def test_gives_the_instances_of_a_job_that_has_ended_to_the_next(limited: MakeCloud) -> None:
    cloud = limited({"* for processing job usage": 1})
    image = cloud.push_image("")
    cloud.process_to_end(image, "first")

    assert cloud.process_to_end(image, "second")["ProcessingJobStatus"] == "Completed"


def test_counts_every_use_by_itself(limited: MakeCloud) -> None:
    cloud = limited({"* for training job usage": 0, "* for spot training job usage": 1})
    image = cloud.push_image("")
    spot: dict[str, Any] = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
    }

    assert cloud.train_to_end(image, **spot)["TrainingJobStatus"] == "Completed"
    assert cloud.process_to_end(image)["ProcessingJobStatus"] == "Completed"


def test_needs_room_for_both_while_an_endpoint_is_updated(limited: MakeCloud) -> None:
    cloud = limited({"ml.m5.large for endpoint usage": 1})
    make_config(cloud, "one", cloud.push_image(SERVE))
    cloud.call("CreateEndpoint", EndpointName="shop", EndpointConfigName="one")
    cloud.sagemaker.wait("Endpoint", "shop")

    message = refuse(cloud.call, "UpdateEndpoint", EndpointName="shop", EndpointConfigName="one")

    assert "'ml.m5.large for endpoint usage' is 1 Instances, with current utilization of 1 Instances" in message
    assert refuse(cloud.call, "CreateEndpoint", EndpointName="other", EndpointConfigName="one")
    assert cloud.call("DescribeEndpoint", EndpointName="shop")["EndpointStatus"] == "InService"


def test_refuses_instances_that_the_region_lacks(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, Patience(close_seconds=0.1), limits=Limits(region="eu-west-1"))
    image = cloud.push_image("")
    resources = {"InstanceType": "ml.g7.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}

    with pytest.raises(SageMakerError, match=r"ml\.g7\.2xlarge is not available in eu-west-1"):
        cloud.train(image, ResourceConfig=resources)
    assert cloud.train_to_end(image)["TrainingJobStatus"] == "Completed"
    cloud.sagemaker.close()
