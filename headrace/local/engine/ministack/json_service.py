"""A service in the JSON protocol that MiniStack lacks: its requests are decided, answered or refused."""

import asyncio
import importlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headrace.local.engine.access.needs import Need
from headrace.local.engine.ministack.access import Access, DeniedError
from headrace.local.engine.refusals import BAD_REQUEST, HttpAnswer, ServiceRefusedError

ListNeeds = Callable[[str, Mapping[str, Any]], Iterable[Need]]


def handle_json(
    answer: Callable[[str, Mapping[str, Any]], Mapping[str, Any]],
    *,
    access: Access | None = None,
    list_needs: ListNeeds = lambda *_: (),
    message_key: str = "message",
) -> Callable[..., Any]:
    """What MiniStack calls with the requests of a service.

    Args:
        answer: The answer to an operation and its request; raises ServiceRefusedError.
        access: The account's IAM; None where every caller may call everything.
        list_needs: What a caller must be allowed for an operation and its request.
        message_key: What the service calls the text of an error.
    """
    router: Any = importlib.import_module("ministack.core.router")

    def refuse(code: str, error: Exception) -> HttpAnswer:
        return _write(BAD_REQUEST, {"__type": code, message_key: str(error)})

    def serve(headers: Mapping[str, str], query: Any, body: bytes | str) -> HttpAnswer:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        request = json.loads(body or "{}")
        try:
            if access:
                key = str(router.extract_access_key_id(headers, query) or "")
                access.check(key, list_needs(operation, request))
            return _write(200, answer(operation, request))
        except DeniedError as error:
            return refuse("AccessDeniedException", error)
        except ServiceRefusedError as error:
            return refuse(error.code, error)

    async def handle(_method: str, _path: str, headers: dict[str, str], body: bytes | str, query: Any) -> HttpAnswer:
        return await asyncio.to_thread(serve, headers, query, body)

    return handle


def _write(status: int, content: Mapping[str, Any]) -> HttpAnswer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
