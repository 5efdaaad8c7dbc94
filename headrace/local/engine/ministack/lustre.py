"""FSx added to MiniStack, which has none: its requests, its tasks, its permissions, its part of the bill."""

import importlib
from typing import Any, Final

from headrace.local.engine.lustre import SERVICE, Lustre, list_lustre_needs
from headrace.local.engine.ministack.access import Access
from headrace.local.engine.ministack.json_service import handle_json
from headrace.local.engine.ministack.step_functions import name_classes
from headrace.local.fault_codes import COMMON_ERRORS
from headrace.local.usage import Standing, Usage

_TARGET_PREFIX: Final = "AWSSimbaAPIService_v20180301"


def install_lustre(lustre: Lustre, access: Access, usage: Usage) -> None:
    """Teach MiniStack to serve FSx, also to state machines.

    Args:
        lustre: Answers the requests.
        access: The account's IAM.
        usage: Where it is counted what is used.
    """
    app: Any = importlib.import_module("ministack.app")
    router: Any = importlib.import_module("ministack.core.router")
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    tagging: Any = importlib.import_module("ministack.services.tagging")

    app.SERVICE_HANDLERS[SERVICE] = handle_json(
        lustre.answer, access=access, list_needs=list_lustre_needs, message_key="Message"
    )
    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": [f"{_TARGET_PREFIX}."],
        "host_patterns": [r"fsx\."],
        "credential_scope": SERVICE,
    }
    states._AWS_SDK_SERVICE_MAP[SERVICE] = {"target_prefix": _TARGET_PREFIX, "protocol": "json"}
    # https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    states._AWS_SDK_ERROR_PREFIX[SERVICE] = "FSx"
    states._AWS_SDK_ERROR_CODE_OVERRIDES[SERVICE] = {
        **dict.fromkeys(COMMON_ERRORS, "FSxException"),
        **name_classes(SERVICE),
    }
    tagging._RESOURCE_TAG_COLLECTORS[SERVICE] = lustre.list_tags
    usage.watch(Standing(lustre.read_rates))
