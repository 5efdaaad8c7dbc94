"""Which of MiniStack's services answers a request, SageMaker added, and what is answered where none does."""

import asyncio
import importlib
import importlib.metadata
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from headrace.local.engine.ministack.callers import SageMakerCalls
from headrace.local.engine.ministack.encryption import name_key_of_s3
from headrace.local.engine.refusals import find_service, is_silent, refuse_operation, refuse_service
from headrace.local.engine.signatures import SentRequest, is_presigned_for_s3

ENCRYPTION = "x-amz-server-side-encryption"


KMS_KEY = f"{ENCRYPTION}-aws-kms-key-id"


def install_requests(calls: SageMakerCalls) -> None:
    """Teach MiniStack to give SageMaker's requests to a control plane, if the caller may make them."""
    app: Any = importlib.import_module("ministack.app")
    router: Any = importlib.import_module("ministack.core.router")

    responses: Any = importlib.import_module("ministack.core.responses")

    app.SERVICE_HANDLERS["sagemaker"] = _request_handler(calls)
    responses._expected_envelope_content_type = _leave_type(responses._expected_envelope_content_type)
    # Both the control plane and the runtime sign as "sagemaker".
    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"sagemaker\."],
        "credential_scope": "sagemaker",
    }


def install_presigned_addresses() -> None:
    """Teach MiniStack that an address presigned for S3 leads to S3, whatever its bearer sends to it."""
    app: Any = importlib.import_module("ministack.app")
    app.detect_service = _keep_to_s3(app.detect_service)


def install_refusals() -> None:
    """Teach MiniStack to say, in the caller's protocol, which service or operation it does not serve."""
    app: Any = importlib.import_module("ministack.app")
    app._dispatch_service_request = _refuse_unserved(app, app._dispatch_service_request)


def install_names_below_address() -> None:
    """Teach MiniStack that a bucket or an access point stands before 127.0.0.1, too, not before localhost alone."""
    app: Any = importlib.import_module("ministack.app")
    app._extract_s3_vhost_bucket = _take_address_for_name(app._extract_s3_vhost_bucket)


def install_key_of_s3() -> None:
    """Teach MiniStack's S3 the key that AWS encrypts with when a request asks for KMS and names no key."""
    s3: Any = importlib.import_module("ministack.services.s3")
    s3._resolve_sse_write_headers = _name_key_of_s3(s3._resolve_sse_write_headers)


def _leave_type(expect: Callable[..., str | None]) -> Callable[..., str | None]:
    """MiniStack gives JSON in an answer the type of the service's protocol; a container's answer has its own."""

    def run(service: str, *rest: Any) -> str | None:
        return None if service == "sagemaker" else expect(service, *rest)

    return run


def _keep_to_s3(detect: Callable[..., str]) -> Callable[..., str]:
    """Without this, an `Action` that the signature does not cover makes a request to IAM of an address of S3."""

    def run(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]]) -> str:
        request = SentRequest(method=method, path=path, query=query, headers=headers)
        return "s3" if is_presigned_for_s3(request) else detect(method, path, headers, query)

    return run


def _take_address_for_name(extract: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda host: extract(host.replace(".127.0.0.1", ".localhost"))


def _refuse_unserved(app: Any, dispatch: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any, request_id: str) -> Any:
        request = SentRequest(method=method, path=path, query=query, headers=dict(headers))
        service = app.detect_service(method, path, headers, app._routing_params(method, path, headers, body, query))
        signed_for = find_service(request)
        # MiniStack takes what it does not know for S3; older signatures name no service.
        is_taken_for_s3 = service == "s3" and signed_for and not signed_for.startswith("s3")
        if service not in app.SERVICE_HANDLERS or is_taken_for_s3:
            return refuse_service(request, app.SERVICE_HANDLERS)
        answer = await dispatch(method, path, headers, body, query, request_id)
        if is_silent(request, answer):
            return refuse_operation(request, f"{service} of the local cloud gave no reason: {answer[2]!r}")
        return answer

    return run


def _name_key_of_s3(resolve: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    responses: Any = importlib.import_module("ministack.core.responses")

    def run(headers: dict[str, str], bucket: str) -> tuple[Any, Any]:
        key = name_key_of_s3(responses.get_account_id(), responses.get_region())
        given = {**headers, KMS_KEY: headers.get(KMS_KEY) or key} if headers.get(ENCRYPTION) == "aws:kms" else headers
        stored, refusal = resolve(given, bucket)
        if stored and stored.get(ENCRYPTION) == "aws:kms":
            stored = {**stored, KMS_KEY: stored.get(KMS_KEY) or key}
        return stored, refusal

    return run


def _request_handler(calls: SageMakerCalls) -> Callable[..., Coroutine[Any, Any, tuple[int, dict[str, str], bytes]]]:
    router: Any = importlib.import_module("ministack.core.router")

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes | str, query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        raw = body.encode() if isinstance(body, str) else body
        authorize = calls.authorize(str(router.extract_access_key_id(headers, query) or ""))
        return await asyncio.to_thread(calls.sagemaker.handle_http, method, path, headers, raw, authorize)

    return handle
