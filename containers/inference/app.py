"""The web application: health, predictions and what batch transform wants to know."""

import time
from collections.abc import Mapping
from email.message import Message
from pathlib import Path

from anyio import to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from . import contract
from .answers import MEDIA_TYPES, choose_media_type, format_predictions
from .events import log_event
from .model import Model, ModelError, load_model
from .parsing import BodyError, parse_csv, parse_json_lines
from .settings import read_settings

# Larger bodies would keep the event loop, and so /ping, waiting for more than a few milliseconds.
LARGEST_INLINE_BODY = 16 * 1024
HEADERS: Mapping[str, bool] = {contract.HEADER_PRESENT: True, contract.HEADER_ABSENT: False}


class RequestError(Exception):
    """A request that is refused with a status and a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class AccessLog:
    """Writes one line per request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def send_and_note(message: AsgiMessage) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            log_event(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                **scope.get("state", {}).get("outcome", {}),
                milliseconds=round((time.perf_counter() - start) * 1000, 3),
            )


class Endpoint:
    """The handlers of one worker, with the model it holds or the reason why it holds none."""

    def __init__(self, model: Model | None, workers: int) -> None:
        self.model = model
        self.workers = workers

    async def ping(self, _request: Request) -> Response:
        """200 once the model is loaded, 404 if it cannot be."""
        return Response(status_code=200 if self.model else 404)

    async def execution_parameters(self, _request: Request) -> Response:
        """How batch transform should call this container."""
        return JSONResponse(
            {
                "MaxConcurrentTransforms": self.workers,
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": contract.MAX_PAYLOAD_MB,
            }
        )

    async def invocations(self, request: Request) -> Response:
        """One prediction per row of the body."""
        if self.model is None:
            raise RequestError(503, "the model could not be loaded; the log of the container's start says why")
        accept = request.headers.get("accept", "*/*")
        media_type = choose_media_type(accept)
        if media_type is None:
            raise RequestError(406, f"cannot answer as {accept!r}; accepted are {', '.join(MEDIA_TYPES)}")
        content_type = request.headers.get("content-type", "")
        check_content_type(content_type)
        body = await read_body(request)
        if len(body) > LARGEST_INLINE_BODY:
            predictions = await to_thread.run_sync(predict, self.model, content_type, body)
        else:
            predictions = predict(self.model, content_type, body)
        request.state.outcome = {"rows": len(predictions)}
        return Response(format_predictions(predictions, media_type), media_type=media_type)


def parse_content_type(content_type: str) -> Message:
    """The media type and its parameters."""
    message = Message()
    message["content-type"] = content_type
    return message


def check_content_type(content_type: str) -> None:
    """Refuse what cannot be read, before the body is."""
    message = parse_content_type(content_type)
    readable = (contract.CSV, contract.JSON_LINES, contract.JSON_LINES_ALIAS)
    if not content_type or message.get_content_type() not in readable:
        raise RequestError(415, f"cannot read content type {content_type!r}; accepted are {', '.join(readable)}")
    header = message.get_param(contract.HEADER_PARAMETER)
    if header is not None and header not in HEADERS:
        raise RequestError(400, f"content-type parameter header={header} is neither {' nor '.join(HEADERS)}")


async def read_body(request: Request) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "0")
    body = bytearray()
    if int(declared) <= contract.MAX_BODY_BYTES:
        async for chunk in request.stream():
            body += chunk
            if len(body) > contract.MAX_BODY_BYTES:
                break
        else:
            return bytes(body)
    raise RequestError(413, f"the body is larger than {contract.MAX_BODY_BYTES} bytes; send fewer rows at a time")


def predict(model: Model, content_type: str, body: bytes) -> list[float]:
    """Predictions for a body that is readable by its content type."""
    message = parse_content_type(content_type)
    if message.get_content_type() == contract.CSV:
        header = HEADERS.get(str(message.get_param(contract.HEADER_PARAMETER)))
        return model.predict(parse_csv(body, model.encoding, header=header))
    return model.predict(parse_json_lines(body, model.encoding))


async def answer_refusal(request: Request, error: Exception) -> Response:
    """The reason for a refusal, for the caller and for the log."""
    status = error.status if isinstance(error, RequestError) else 400
    request.state.outcome = {"error": str(error)}
    return JSONResponse({"error": str(error)}, status_code=status)


async def answer_disconnect(request: Request, _error: Exception) -> Response:
    """Nothing: nobody listens any more, but the log tells it from a failure."""
    request.state.outcome = {"error": "the caller went away"}
    return Response(status_code=400)


def build_app(root: Path, workers: int) -> Starlette:
    """The application for the model under the root; a model that cannot be loaded is logged and served as unhealthy."""
    model = None
    try:
        model = load_model(root / contract.MODEL_FOLDER)
        log_event("model_loaded", features=len(model.encoding.features))
    except ModelError as error:
        log_event("model_refused", reason=str(error))
    endpoint = Endpoint(model, workers)
    return Starlette(
        routes=[
            Route(contract.PING_PATH, endpoint.ping, methods=["GET", "POST"]),
            Route(contract.INVOCATIONS_PATH, endpoint.invocations, methods=["POST"]),
            Route(contract.EXECUTION_PARAMETERS_PATH, endpoint.execution_parameters),
        ],
        middleware=[Middleware(AccessLog)],
        exception_handlers={
            RequestError: answer_refusal,
            BodyError: answer_refusal,
            ClientDisconnect: answer_disconnect,
        },
    )


def create_app() -> Starlette:
    """The application of one worker process, configured by the environment."""
    settings = read_settings()
    return build_app(settings.root, settings.workers)
