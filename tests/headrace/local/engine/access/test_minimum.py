"""What roles should be allowed although no call is refused for lack of it."""

import pytest

from headrace.local.engine.access.minimum import list_minimum_needs
from headrace.local.engine.access.needs import Holder

KEY = "arn:aws:kms:us-east-1:000000000000:key/k"


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("CreateTrainingJob", "TrainingJobs"),
        ("CreateProcessingJob", "ProcessingJobs"),
        ("CreateModel", "Endpoints"),
    ],
)
def test_asks_that_a_role_may_publish_the_metrics_and_find_the_logs_of_its_kind(operation: str, kind: str) -> None:
    metrics, logs = list_minimum_needs(operation, {})

    assert (metrics.action, metrics.resource) == ("cloudwatch:PutMetricData", "*")
    assert metrics.context == {"cloudwatch:namespace": f"/aws/sagemaker/{kind}"}
    group = f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/{kind}:log-stream:"
    assert (logs.action, logs.resource) == ("logs:DescribeLogStreams", group)
    assert {metrics.holder, logs.holder} == {Holder.ROLE}


def test_asks_that_a_role_may_look_at_the_key_of_a_volume() -> None:
    (*_, key) = list_minimum_needs("CreateTrainingJob", {"ResourceConfig": {"VolumeKmsKeyId": KEY}})

    assert (key.action, key.resource) == ("kms:DescribeKey", KEY)


def test_asks_that_the_role_of_a_model_may_list_its_data() -> None:
    (*_, data) = list_minimum_needs("CreateModel", {"PrimaryContainer": {"ModelDataUrl": "s3://work/a/model.tar.gz"}})

    assert (data.action, data.resource, data.context) == (
        "s3:ListBucket",
        "arn:aws:s3:::work",
        {"s3:prefix": "a/model.tar.gz"},
    )


def test_asks_nothing_of_who_makes_neither_a_job_nor_a_model() -> None:
    assert list(list_minimum_needs("CreateEndpoint", {"EndpointName": "e"})) == []
