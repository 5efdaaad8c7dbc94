"""The web application: health, predictions and what batch transform wants to know.

It speaks ASGI itself: with three paths and one header that decides, a framework would cost more than the prediction.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from email.message import Message
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from containers.shared import sagemaker
from containers.shared.model_files import ModelError
from containers.shared.server_events import log_event

from . import contract
from .answers import MEDIA_TYPES, choose_media_type, format_predictions
from .model import Model, load_model
from .parsing import BodyError, parse_csv, parse_json_lines
from .settings import read_settings
from .traffic import Traffic

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Larger bodies would keep the event loop, and so /ping, waiting for more than a few milliseconds.
LARGEST_INLINE_BODY = 16 * 1024
# Beside the time to arrive and to compute, this stays within the 60 seconds SageMaker gives an answer.
LONGEST_WAIT_SECONDS = 20
HEADERS = {contract.HEADER_PRESENT: True, contract.HEADER_ABSENT: False}
READABLE = (contract.CSV, contract.JSON_LINES, contract.JSON_LINES_ALIAS)


class RequestError(Exception):
    """A request that is refused with a status and a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class ContentType(NamedTuple):
    """A body's media type, and whether its first row is a header if it says so."""

    media_type: str
    header: bool | None


class Answer(NamedTuple):
    """What goes back to the caller, and into the log."""

    status: int
    content: bytes = b""
    media_type: str = contract.JSON
    rows: int = 0
    error: str = ""


class Endpoint:
    """The application of one worker, with the model it holds or the reason why it holds none."""

    def __init__(self, root: Path, workers: int, traffic: Traffic) -> None:
        self.root = root
        self.workers = workers
        self.traffic = traffic
        self.model: Model | None = None
        self.reason = "the model is still loading; try again in a few seconds"
        self.is_loading = True
        # There is a worker per CPU; more bodies at a time would only hold more rows in memory.
        self.turns = asyncio.Semaphore(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        start = time.perf_counter()
        answer = Answer(500, error="InternalError")
        try:
            answer = await self.answer(scope, receive)
            await send_answer(send, answer)
        finally:
            seconds = time.perf_counter() - start
            self.traffic.note(
                scope["method"], scope["path"], answer.status, seconds, rows=answer.rows, error=answer.error
            )

    async def live(self, receive: Receive, send: Send) -> None:
        """Load the model beside serving, which tells SageMaker that the container is alive."""
        await receive()
        threading.Thread(target=self.load_model, daemon=True).start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.traffic.summarize()
        await send({"type": "lifespan.shutdown.complete"})

    def load_model(self) -> None:
        """Load the model under the root; one that cannot be loaded is logged and served as unhealthy."""
        try:
            self.model = load_model(self.root / sagemaker.MODEL_FOLDER)
            log_event("model_loaded", features=len(self.model.encoding.features))
        except ModelError as error:
            self.reason = "the model could not be loaded; the log of the container's start says why"
            log_event("model_refused", reason=str(error))
        finally:
            self.is_loading = False

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer to one request, a refusal if need be."""
        path, method = scope["path"], scope["method"]
        try:
            if path == sagemaker.INVOCATIONS_PATH:
                check_method(method, "POST")
                return await self.answer_invocation(dict(scope["headers"]), receive)
            if path == sagemaker.PING_PATH:
                check_method(method, "GET", "HEAD", "POST")
                return self.answer_ping()
            if path == sagemaker.EXECUTION_PARAMETERS_PATH:
                check_method(method, "GET", "HEAD")
                return self.answer_execution_parameters()
            raise RequestError(404, f"there is nothing at {path}")
        except (RequestError, BodyError) as error:
            status = error.status if isinstance(error, RequestError) else 400
            return Answer(status, json.dumps({"error": str(error)}).encode(), error=str(error))

    def answer_ping(self) -> Answer:
        """200 once the model is loaded, 503 until then, 404 if it cannot be."""
        if self.model:
            return Answer(200)
        return Answer(503 if self.is_loading else 404)

    def answer_execution_parameters(self) -> Answer:
        """How batch transform should call this container."""
        parameters = {
            "MaxConcurrentTransforms": self.workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": sagemaker.MAX_PAYLOAD_MB,
        }
        return Answer(200, json.dumps(parameters).encode())

    async def answer_invocation(self, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        """One prediction per row of the body."""
        if self.model is None:
            raise RequestError(503, self.reason)
        accept = headers.get(b"accept", b"*/*").decode("latin-1")
        media_type = choose_media_type(accept)
        if media_type is None:
            raise RequestError(406, f"cannot answer as {accept!r}; accepted are {', '.join(MEDIA_TYPES)}")
        content_type = parse_content_type(headers.get(b"content-type", b"").decode("latin-1"))
        body = await read_body(int(headers.get(b"content-length", 0)), receive)
        if len(body) <= LARGEST_INLINE_BODY:
            predictions = predict(self.model, content_type, body)
        else:
            predictions = await self.predict_in_turn(self.model, content_type, body)
        return Answer(200, format_predictions(predictions, media_type), media_type, rows=len(predictions))

    async def predict_in_turn(self, model: Model, content_type: ContentType, body: bytes) -> list[float]:
        """The predictions for a large body, made in another thread when those before it are done."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self.turns.acquire()
        except TimeoutError as error:
            raise RequestError(503, "other large requests are in the way; try again, or send fewer rows") from error
        try:
            return await asyncio.to_thread(predict, model, content_type, body)
        finally:
            self.turns.release()


def check_method(method: str, *allowed: str) -> None:
    """Refuse a method that the path does not have."""
    if method not in allowed:
        raise RequestError(405, f"method {method} is not allowed here; allowed are {', '.join(allowed)}")


@lru_cache(maxsize=64)
def parse_content_type(text: str) -> ContentType:
    """The content type, refused before the body is read if it cannot be."""
    message = Message()
    message["content-type"] = text
    if not text or message.get_content_type() not in READABLE:
        raise RequestError(415, f"cannot read content type {text!r}; accepted are {', '.join(READABLE)}")
    header = message.get_param(contract.HEADER_PARAMETER)
    if header is not None and header not in HEADERS:
        raise RequestError(400, f"content-type parameter header={header} is neither {' nor '.join(HEADERS)}")
    return ContentType(message.get_content_type(), HEADERS.get(str(header)))


async def read_body(declared: int, receive: Receive) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    body = bytearray()
    more = declared <= sagemaker.MAX_BODY_BYTES
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the caller went away")
        body += message.get("body", b"")
        if len(body) > sagemaker.MAX_BODY_BYTES:
            break
        more = message.get("more_body", False)
    if more or declared > sagemaker.MAX_BODY_BYTES:
        raise RequestError(413, f"the body is larger than {sagemaker.MAX_BODY_BYTES} bytes; send fewer rows at a time")
    return bytes(body)


def predict(model: Model, content_type: ContentType, body: bytes) -> list[float]:
    """Predictions for a body that is readable by its content type."""
    if body.count(b"\n") > contract.MAX_ROWS:
        raise RequestError(413, f"the body has more than {contract.MAX_ROWS} rows; send fewer rows at a time")
    if content_type.media_type == contract.CSV:
        return model.predict(parse_csv(body, model.encoding, header=content_type.header))
    return model.predict(parse_json_lines(body, model.encoding))


async def send_answer(send: Send, answer: Answer) -> None:
    """Write the answer's head and content."""
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(answer.content)).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


def create_app() -> Endpoint:
    """The application of one worker process, configured by the environment."""
    settings = read_settings()
    every = settings.access_log == contract.ACCESS_LOG_EVERY
    return Endpoint(settings.root, settings.workers, Traffic(every=every))
