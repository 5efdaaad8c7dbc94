"""What MiniStack is taught to say of the account and its Region: quotas, and where EC2 has which instances."""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from headrace.local.engine.ministack.json_service import handle_json
from headrace.local.engine.refusals import BAD_REQUEST
from headrace.local.engine.service_quotas import answer
from headrace.local.limits import Limits
from headrace.quotas import CONCURRENT_EXECUTIONS

SERVICE: Final = "servicequotas"
_TARGET_PREFIX: Final = "ServiceQuotasV20190624"
_OFFERINGS: Final = "DescribeInstanceTypeOfferings"

Answer = tuple[int, dict[str, str], bytes]


def install_quotas(limits: Limits) -> None:
    """Teach MiniStack to serve Service Quotas, EC2's offers of instances and the account's settings of Lambda.

    Args:
        limits: What the account and its Region do not have.
    """
    app: Any = importlib.import_module("ministack.app")
    router: Any = importlib.import_module("ministack.core.router")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    ec2: Any = importlib.import_module("ministack.services.ec2")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")

    app.SERVICE_HANDLERS[SERVICE] = handle_json(lambda operation, request: answer(operation, request, limits))
    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": [f"{_TARGET_PREFIX}."],
        "host_patterns": [r"servicequotas\."],
        "credential_scope": SERVICE,
    }
    actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    ec2._ACTION_MAP[_OFFERINGS] = _offer(ec2, limits)
    if (quota := limits.find_quota(CONCURRENT_EXECUTIONS)) is not None:
        functions._get_account_settings = _bound(functions._get_account_settings, quota)


def _offer(ec2: Any, limits: Limits) -> Callable[[Mapping[str, Any]], Answer]:
    """The types that a request asks for, in every zone that the local cloud has, unless the Region lacks them."""

    def run(request: Mapping[str, Any]) -> Answer:
        if ec2._p(request, "LocationType") != "availability-zone":
            return _refuse(ec2, "LocationType: the local cloud knows 'availability-zone' alone")
        wanted = ec2._parse_filters(request).get("instance-type")
        if not wanted:
            return _refuse(ec2, "Filters: the local cloud answers for the types that 'instance-type' names alone")
        items = "".join(_list_items(wanted, ec2.get_region(), limits))
        sent: Answer = ec2._xml(
            200, f"{_OFFERINGS}Response", f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>"
        )
        return sent

    return run


def _list_items(wanted: list[str], region: str, limits: Limits) -> Iterator[str]:
    for kind in wanted:
        if not limits.lacks_instances(f"ml.{kind}"):
            for letter in "abc":
                yield (
                    f"<item><instanceType>{escape(kind)}</instanceType><locationType>availability-zone</locationType>"
                    f"<location>{region}{letter}</location></item>"
                )


def _refuse(ec2: Any, reason: str) -> Answer:
    refused: Answer = ec2._error("InvalidParameterValue", reason, BAD_REQUEST)
    return refused


def _bound(describe: Callable[[], Answer], quota: int) -> Callable[[], Answer]:
    """The account's settings with a quota of requests at once; what is reserved of it stays reserved."""

    def run() -> Answer:
        status, headers, body = describe()
        settings = json.loads(body)
        limit = settings["AccountLimit"]
        reserved = limit["ConcurrentExecutions"] - limit["UnreservedConcurrentExecutions"]
        limit |= {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": max(quota - reserved, 0)}
        return status, headers, json.dumps(settings).encode()

    return run
