"""Schedules that call an operation of a service themselves: of those that there are, `SetAlarmState`."""

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.engine.access.needs import Need
from headrace.local.engine.cloud import ACCOUNT, REGION

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
_UNIVERSAL: Final = ":scheduler:::aws-sdk:"
_SET_ALARM_STATE: Final = f"{_UNIVERSAL}cloudwatch:setAlarmState"

logger = logging.getLogger(__name__)


def describe_call(target: Mapping[str, Any]) -> Need | None:
    """What the role of a target must be allowed to, where the target is an operation that is known here."""
    if not target.get("Arn", "").endswith(_SET_ALARM_STATE):
        return None
    name = json.loads(target["Input"]).get("AlarmName", "")
    return Need(action="cloudwatch:SetAlarmState", resource=f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}")


def calling_operations(invoke: Callable[..., None]) -> Callable[..., None]:
    """What calls targets, which calls operations, too."""
    cloudwatch: Any = importlib.import_module("ministack.services.cloudwatch")

    def run(target: dict[str, Any], *rest: Any, **options: Any) -> None:
        if describe_call(target):
            status, _, body = cloudwatch._set_alarm_state({}, json.loads(target["Input"]), is_cbor=False, is_json=True)
            if status >= 400:
                logger.warning("target_not_called target=%s error=%s", target["Arn"], body)
        else:
            invoke(target, *rest, **options)

    return run
