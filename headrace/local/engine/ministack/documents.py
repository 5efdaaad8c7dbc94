"""Textract and Comprehend added to MiniStack, which has neither: their requests, their tasks, their permissions."""

import importlib
import logging
from collections.abc import Iterable
from typing import Any, Final

from headrace.local.engine.access.needs import Holder, Need
from headrace.local.engine.classifiers import COMPREHEND_PRINCIPAL, list_needs
from headrace.local.engine.documents import (
    COMPREHEND,
    TEXTRACT,
    TEXTRACT_PRINCIPAL,
    Answers,
    Comprehend,
    Textract,
    list_textract_needs,
)
from headrace.local.engine.ministack.access import Access, DeniedError
from headrace.local.engine.ministack.json_service import handle_json
from headrace.local.engine.ministack.step_functions import name_classes
from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.fault_codes import COMMON_ERRORS
from headrace.local.sagemaker.validation import load_service_model

logger = logging.getLogger(__name__)

_SESSION: Final = "Textract"
_TARGET_PREFIXES: Final = {TEXTRACT: "Textract", COMPREHEND: "Comprehend_20171127"}


def install_documents(answers: Answers, s3: Any, access: Access) -> None:
    """Teach MiniStack to serve Textract and Comprehend, also to state machines.

    Args:
        answers: What they answer.
        s3: The client that documents are looked for and answers are written with.
        access: The account's IAM.
    """
    textract = Textract(answers, s3, lambda *notice: _publish(access, *notice))
    _install(TEXTRACT, handle_json(textract.answer, access=access, list_needs=list_textract_needs))
    comprehend = Comprehend(answers, s3, lambda *given: _check_role(access, *given))
    _install(COMPREHEND, handle_json(comprehend.answer, access=access, list_needs=list_needs))


def _install(service: str, handle: Any) -> None:
    app: Any = importlib.import_module("ministack.app")
    router: Any = importlib.import_module("ministack.core.router")
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    prefix = _TARGET_PREFIXES[service]

    app.SERVICE_HANDLERS[service] = handle
    router.SERVICE_PATTERNS[service] = {
        "target_prefixes": [f"{prefix}."],
        "host_patterns": [rf"{service}\."],
        "credential_scope": service,
    }
    states._AWS_SDK_SERVICE_MAP[service] = {"target_prefix": prefix, "protocol": "json"}
    # https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    states._AWS_SDK_ERROR_PREFIX[service] = service.title()
    model = load_service_model(service)
    declared = {name for name in model.shape_names if model.shape_for(name).metadata.get("exception")}
    unnamed = dict.fromkeys(set(COMMON_ERRORS) - declared, f"{service.title()}Exception")
    states._AWS_SDK_ERROR_CODE_OVERRIDES[service] = {**unnamed, **name_classes(service)}


def _check_role(access: Access, role: str, needs: Iterable[Need]) -> None:
    try:
        if not access.trusts(role, COMPREHEND_PRINCIPAL):
            raise DeniedError(f"{COMPREHEND_PRINCIPAL} cannot assume the role {role}")
        access.check("", needs, role, "Comprehend")
    except DeniedError as error:
        raise ServiceRefusedError("InvalidRequestException", str(error)) from None


def _publish(access: Access, role: str, topic: str, message: str) -> None:
    """As on AWS, the caller that started the job does not hear of a notice that cannot be published."""
    sns: Any = importlib.import_module("ministack.services.sns")
    try:
        if not access.trusts(role, TEXTRACT_PRINCIPAL):
            raise DeniedError(f"{TEXTRACT_PRINCIPAL} cannot assume the role {role}")
        publishing = Need(action="sns:Publish", resource=topic, holder=Holder.ROLE)
        access.check("", [publishing], role, _SESSION)
    except DeniedError as error:
        logger.warning("notice_not_published topic=%s error=%s", topic, error)
        return
    sns.publish_internal(topic, message, "")
