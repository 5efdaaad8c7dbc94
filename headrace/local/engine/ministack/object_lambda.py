"""Who reads through Object Lambda, and what they need on the way: the access point, the function, the object behind it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-policies.html
"""

import contextvars
import importlib
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from headrace.local.engine.access.needs import Need
from headrace.local.engine.ministack.access import Access, DeniedError, called_via
from headrace.local.engine.refusals import HttpAnswer, WireFormat, write_error

OBJECT_LAMBDA: Final = "s3-object-lambda.amazonaws.com"
# Addresses that functions have been given and may still use.
_MOST_ADDRESSES: Final = 10_000


def install_object_lambda(access: Access) -> None:
    """Teach MiniStack to decide every step of a reading through Object Lambda."""
    if not access.is_on:
        return
    app: Any = importlib.import_module("ministack.app")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    object_lambda: Any = importlib.import_module("ministack.services.s3_object_lambda")
    given: deque[str] = deque(maxlen=_MOST_ADDRESSES)

    # As S3 does; clients would see a denial in JSON as one without a reason.
    actions._SERVICE_PROTOCOL["s3-object-lambda"] = "rest-xml"
    actions.s3_access_point_resources = _name_access_points(actions.s3_access_point_resources)
    object_lambda._presign = _remember_addresses(object_lambda._presign, given)
    object_lambda.handle_request = _decide_invoking(access, object_lambda, object_lambda.handle_request)
    app.pin_signed_request = _recognize_addresses(app.pin_signed_request, given)


def _name_access_points(
    describe: Callable[[str], list[tuple[str, dict[str, Any]]]],
) -> Callable[[str], list[tuple[str, dict[str, Any]]]]:
    """An alias in the place of a bucket is the access point's."""
    s3: Any = importlib.import_module("ministack.services.s3")

    def run(resource: str) -> list[tuple[str, dict[str, Any]]]:
        alias = resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        found = s3.resolve_object_lambda_alias(alias)
        return [(s3.object_lambda_arn(found[2]["Name"]), {})] if found else describe(resource)

    return run


def _remember_addresses(presign: Callable[..., str], given: deque[str]) -> Callable[..., str]:
    def run(*arguments: Any, **options: Any) -> str:
        address = presign(*arguments, **options)
        given.append(_read_signature(parse_qs(urlsplit(address).query)))
        return address

    return run


def _recognize_addresses(pin: Callable[..., None], given: deque[str]) -> Callable[..., None]:
    """Who reads by an address that Object Lambda has signed for them calls by way of it."""

    def run(method: str, path: str, query: Mapping[str, list[str]], *rest: Any, **options: Any) -> None:
        signature = _read_signature(query)
        called_via.set(OBJECT_LAMBDA if signature and signature in given else "")
        pin(method, path, query, *rest, **options)

    return run


def _read_signature(query: Mapping[str, list[str]]) -> str:
    return query.get("X-Amz-Signature", [""])[0]


def _decide_invoking(
    access: Access, object_lambda: Any, handle: Callable[..., Coroutine[Any, Any, Any]]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    router: Any = importlib.import_module("ministack.core.router")

    async def run(
        record: Any, region: str, method: str, key: str, headers: Any, body: Any, query: Any, url: str
    ) -> Any:
        operation = object_lambda._operation(method, key, query)
        transformation = object_lambda._transformation(record, operation) if operation else None
        if transformation:
            key_id = str(router.extract_access_key_id(headers, query) or "")
            if refusal := _refuse_invoking(access, key_id, transformation["FunctionArn"]):
                return refusal
        return await handle(record, region, method, key, headers, body, query, url)

    return run


def _refuse_invoking(access: Access, key_id: str, function: str) -> HttpAnswer | None:
    need = Need(action="lambda:InvokeFunction", resource=function, context={"aws:CalledVia": [OBJECT_LAMBDA]})
    try:
        contextvars.copy_context().run(access.check, key_id, [need])
    except DeniedError as error:
        return write_error(WireFormat.S3, "AccessDenied", str(error), 403)
    return None
