"""What MiniStack's CloudFormation is taught to refuse: what the account may not have, and what its Region lacks."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace import regions
from headrace.local.engine.ministack.cloudformation import Provision
from headrace.local.engine.resources import Attributes
from headrace.local.limits import OBJECT_LAMBDA_ACCESS_POINTS, Limits
from headrace.quotas import CONCURRENT_EXECUTIONS

_FUNCTION: Final = "AWS::Lambda::Function"
# 100 in https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html; accounts with less are told 10.
_KEPT_UNRESERVED: Final = 10
_OBJECT_LAMBDA_IS_CLOSED: Final = (
    "AccessDenied: S3 Object Lambda is available only to accounts that had used it by November 7th, 2025"
)
_LUSTRE_IS_OLD: Final = "BadRequest: the Region has neither PERSISTENT_2 nor SCRATCH_2 file systems"

Check = Callable[[Mapping[str, Any]], None]


def install_limits(limits: Limits) -> None:
    """Teach MiniStack's CloudFormation the quotas of the account and what its Region does not offer."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS
    if limits.find_quota(OBJECT_LAMBDA_ACCESS_POINTS) == 0:
        handlers[regions.OBJECT_LAMBDA] = _check(handlers[regions.OBJECT_LAMBDA], _refuse(_OBJECT_LAMBDA_IS_CLOSED))
    if (quota := limits.find_quota(CONCURRENT_EXECUTIONS)) is not None:
        handlers[_FUNCTION] = _check(handlers[_FUNCTION], _leave_unreserved(quota))
    if limits.region is None:
        return
    if regions.lacks_lustre(limits.region):
        handlers[regions.FSX_FILE_SYSTEM] = _check(handlers[regions.FSX_FILE_SYSTEM], _refuse(_LUSTRE_IS_OLD))
    for lacked in regions.list_lacked_types(limits.region):
        handlers.pop(lacked, None)


def _check(handlers: dict[str, Any], check: Check) -> dict[str, Any]:
    def check_first(provision: Provision, properties_at: int) -> Provision:
        def run(*arguments: Any) -> tuple[str, Attributes]:
            check(arguments[properties_at])
            return provision(*arguments)

        return run

    checked = {"create": check_first(handlers["create"], 1)}
    if "update" in handlers:
        checked["update"] = check_first(handlers["update"], 2)
    return {**handlers, **checked}


def _refuse(reason: str) -> Check:
    def check(_: Mapping[str, Any]) -> None:
        raise ValueError(reason)

    return check


def _leave_unreserved(quota: int) -> Check:
    def check(properties: Mapping[str, Any]) -> None:
        reserved = int(properties.get("ReservedConcurrentExecutions", 0))
        if reserved and quota - reserved < _KEPT_UNRESERVED:
            raise ValueError(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{_KEPT_UNRESERVED}]."
            )

    return check
