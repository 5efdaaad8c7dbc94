"""Service Quotas: what the local cloud's account may have at once, by the names that AWS gives.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.limits import Limits, list_instance_types
from headrace.quotas import (
    COMPREHEND,
    COMPREHEND_QUOTAS,
    CONCURRENT_EXECUTIONS,
    CONCURRENT_EXECUTIONS_CODE,
    LAMBDA,
    SAGEMAKER,
    SERVERLESS_CONCURRENCY,
    Usage,
    name_quota,
)

# What has no bound on the local cloud.
NO_BOUND: Final = 1_000_000
_MOST_A_PAGE: Final = 100
_NAMES: Final = {SAGEMAKER: "Amazon SageMaker", LAMBDA: "AWS Lambda", COMPREHEND: "Amazon Comprehend"}
_LISTS: Final = frozenset({"ListServiceQuotas", "ListAWSDefaultServiceQuotas"})


def answer(operation: str, request: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """A page of quotas.

    Args:
        operation: The operation.
        request: Its members.
        limits: What the account may have.

    Raises:
        ServiceRefusedError: If the operation or the service is not known, or the request is not valid.
    """
    service = str(request.get("ServiceCode", ""))
    if operation not in _LISTS:
        raise ServiceRefusedError("UnknownOperationException", f"The local cloud's Service Quotas has no {operation}.")
    if service not in _NAMES:
        raise ServiceRefusedError("NoSuchResourceException", f"The local cloud has no quotas of the service {service}.")
    quotas = [_describe(service, name, limits) for name in _list_names(service)]
    begin, most = str(request.get("NextToken", "0")), int(request.get("MaxResults", _MOST_A_PAGE))
    if not begin.isdigit() or not 1 <= most <= _MOST_A_PAGE:
        raise ServiceRefusedError("IllegalArgumentException", "MaxResults is from 1 to 100, NextToken from an answer.")
    end = int(begin) + most
    return {"Quotas": quotas[int(begin) : end], **({"NextToken": str(end)} if end < len(quotas) else {})}


def _describe(service: str, name: str, limits: Limits) -> dict[str, Any]:
    code = _name_code(name)
    value = limits.find_quota(name)
    return {
        "ServiceCode": service,
        "ServiceName": _NAMES[service],
        "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(NO_BOUND if value is None else value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def _name_code(name: str) -> str:
    """The code of a quota. AWS's own are as random, and published for few."""
    if name == CONCURRENT_EXECUTIONS:
        return CONCURRENT_EXECUTIONS_CODE
    return f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"


@cache
def _list_sagemaker_names() -> tuple[str, ...]:
    of_types = (name_quota(kind, usage) for kind in sorted(list_instance_types()) for usage in Usage)
    return (*of_types, SERVERLESS_CONCURRENCY)


def _list_names(service: str) -> Sequence[str]:
    return {SAGEMAKER: _list_sagemaker_names(), LAMBDA: (CONCURRENT_EXECUTIONS,), COMPREHEND: COMPREHEND_QUOTAS}[
        service
    ]
