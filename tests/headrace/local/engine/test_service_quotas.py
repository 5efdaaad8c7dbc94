"""Service Quotas on the local cloud says what the account may have, in pages, as AWS does."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.engine.service_quotas import NO_BOUND, answer
from headrace.local.limits import Limits
from headrace.quotas import COMPREHEND_QUOTAS, CONCURRENT_EXECUTIONS, CONCURRENT_EXECUTIONS_CODE

LIMITS = Limits({"* for training job usage": 0, "ml.m5.large for training job usage": 2, CONCURRENT_EXECUTIONS: 10})


def list_quotas(service: str, limits: Limits = LIMITS) -> dict[str, Any]:
    """Every quota of a service by its name."""
    found: dict[str, Any] = {}
    request = {"ServiceCode": service}
    while True:
        page = answer("ListServiceQuotas", request, limits)
        found |= {quota["QuotaName"]: quota for quota in page["Quotas"]}
        if "NextToken" not in page:
            return found
        request["NextToken"] = page["NextToken"]


def test_names_a_quota_for_every_type_and_use_over_pages() -> None:
    quotas = list_quotas("sagemaker")

    assert quotas["ml.m5.large for training job usage"]["Value"] == 2
    assert quotas["ml.g5.xlarge for training job usage"]["Value"] == 0
    assert quotas["ml.g5.xlarge for spot training job usage"]["Value"] == NO_BOUND
    assert len({quota["QuotaCode"] for quota in quotas.values()}) == len(quotas)


def test_gives_the_code_that_aws_publishes() -> None:
    (quota,) = list_quotas("lambda").values()

    assert (quota["QuotaName"], quota["QuotaCode"], quota["Value"]) == (
        CONCURRENT_EXECUTIONS,
        CONCURRENT_EXECUTIONS_CODE,
        10,
    )


def test_has_no_bound_for_endpoints_of_comprehend() -> None:
    assert {name: quota["Value"] for name, quota in list_quotas("comprehend").items()} == dict.fromkeys(
        COMPREHEND_QUOTAS, NO_BOUND
    )


def test_answers_in_the_shape_that_awss_clients_read() -> None:
    client = boto3.client("service-quotas", region_name="us-east-1")
    with Stubber(client) as stubber:
        stubber.add_response("list_service_quotas", answer("ListServiceQuotas", {"ServiceCode": "lambda"}, LIMITS))
        assert client.list_service_quotas(ServiceCode="lambda")["Quotas"][0]["Value"] == 10


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("RequestServiceQuotaIncrease", {"ServiceCode": "lambda"}, "UnknownOperationException"),
        ("ListServiceQuotas", {"ServiceCode": "vpc"}, "NoSuchResourceException"),
        ("ListServiceQuotas", {"ServiceCode": "lambda", "NextToken": "x"}, "IllegalArgumentException"),
        ("ListServiceQuotas", {"ServiceCode": "lambda", "MaxResults": 101}, "IllegalArgumentException"),
    ],
)
def test_refuses_what_it_does_not_have(operation: str, request_: dict[str, Any], code: str) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        answer(operation, request_, LIMITS)

    assert refused.value.code == code
