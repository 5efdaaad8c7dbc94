"""What all endpoints have in common: health, refusals, bounds, turns and what batch transform wants to know.

It speaks ASGI itself: with three paths and a few headers that decide, a framework would cost more than a prediction.
"""

import asyncio
import json
import os
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from containers.shared import sagemaker
from containers.shared.serving.events import log_event
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]
Result = TypeVar("Result")

JSON = "application/json"
# Beside the time to arrive and to compute, this stays within the 60 seconds SageMaker gives an answer.
LONGEST_WAIT_SECONDS = 20
# By this code uvicorn's supervisor knows a worker that would fail in the same way again, and stops.
MODEL_REFUSED_EXIT = 3


class RequestError(Exception):
    """A request that is refused with a status and a reason."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers or {}


class Answer(NamedTuple):
    """What goes back to the caller, and into the log."""

    status: int
    content: bytes = b""
    media_type: str = JSON
    headers: Mapping[str, str] = {}
    # How much was answered, by the name that the log has for it.
    amounts: Mapping[str, int] = {}
    error: str = ""


class Endpoint(ABC):
    """The application of one worker; a kind of endpoint adds how to load its model and how to answer with it."""

    batch_strategy: ClassVar[str]

    def __init__(self, root: Path, workers: int, traffic: Traffic) -> None:
        self.root = root
        self.workers = workers
        self.traffic = traffic
        self.is_ready = False
        # There is a worker per CPU; more large requests at a time would only hold more memory.
        self.turns = asyncio.Semaphore(1)

    @abstractmethod
    def load_model(self, folder: Path) -> Mapping[str, object]:
        """Load the model in the folder and return what the log says of it, or raise ModelError."""

    @abstractmethod
    async def answer_invocation(self, headers: Headers, receive: Receive) -> Answer:
        """The model's answer to a body, which is not read yet."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        start = time.perf_counter()
        answer = await self.answer(scope, receive)
        try:
            await send_answer(send, answer)
        finally:
            seconds = time.perf_counter() - start
            self.traffic.note(
                scope["method"], scope["path"], answer.status, seconds, amounts=answer.amounts, error=answer.error
            )

    async def live(self, receive: Receive, send: Send) -> None:
        """Load the model while serving, which shows SageMaker that the container is alive."""
        await receive()
        threading.Thread(target=self.load_or_exit, daemon=True).start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.traffic.summarize()
        await send({"type": "lifespan.shutdown.complete"})

    def load_or_exit(self) -> None:
        """Load the model under the root; a container without one ends, so that nobody waits for its health."""
        try:
            self.load()
        except ModelError:
            os._exit(MODEL_REFUSED_EXIT)

    def load(self) -> None:
        """Load the model under the root, and log how that went."""
        try:
            fields = self.load_model(self.root / sagemaker.MODEL_FOLDER)
        except Exception as error:
            known = isinstance(error, ModelError)
            log_event("model_refused", reason=str(error) if known else traceback.format_exc())
            raise ModelError(str(error)) from error
        self.is_ready = True
        log_event("model_loaded", **fields)

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer to one request, a refusal if need be."""
        try:
            return await self.dispatch(scope, receive)
        except RequestError as error:
            return refuse(error.status, str(error), error.headers)
        except Exception:  # noqa: BLE001 - the last resort: a caller gets an answer in the form of all refusals
            log_event("request_broke", path=scope["path"], traceback=traceback.format_exc())
            return refuse(500, "the request could not be answered; the log of the endpoint says why")

    async def dispatch(self, scope: Scope, receive: Receive) -> Answer:
        """The answer of the path's handler."""
        path, method = scope["path"], scope["method"]
        if path == sagemaker.INVOCATIONS_PATH:
            check_method(method, "POST")
            self.check_ready()
            headers = dict(scope["headers"])
            check_content_encoding(headers.get(b"content-encoding", b""))
            return await self.answer_invocation(headers, receive)
        if path == sagemaker.PING_PATH:
            check_method(method, "GET", "HEAD", "POST")
            return Answer(200 if self.is_ready else 503)
        if path == sagemaker.EXECUTION_PARAMETERS_PATH:
            check_method(method, "GET", "HEAD")
            return self.answer_execution_parameters()
        raise RequestError(404, f"there is nothing at {path}")

    def check_ready(self) -> None:
        """Refuse what would need the model before it is there."""
        if not self.is_ready:
            raise RequestError(503, "the model is still loading; try again in a few seconds")

    def answer_execution_parameters(self) -> Answer:
        """How batch transform should call this container."""
        parameters = {
            "MaxConcurrentTransforms": self.workers,
            "BatchStrategy": self.batch_strategy,
            "MaxPayloadInMB": sagemaker.MAX_PAYLOAD_MB,
        }
        return Answer(200, json.dumps(parameters).encode())

    async def run_in_turn(self, work: Callable[..., Result], *arguments: object) -> Result:
        """What the work returns, done in another thread once the work before it is done, so that /ping is answered."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self.turns.acquire()
        except TimeoutError as error:
            raise RequestError(503, "other requests are in the way; try again, or send less at a time") from error
        try:
            return await asyncio.to_thread(work, *arguments)
        finally:
            self.turns.release()


def check_method(method: str, *allowed: str) -> None:
    """Refuse a method that the path does not have."""
    if method not in allowed:
        names = ", ".join(allowed)
        raise RequestError(405, f"method {method} is not allowed here; allowed are {names}", {"allow": names})


def check_content_encoding(encoding: bytes) -> None:
    """Refuse a compressed body; SageMaker passes none on, and to expand one would undo the bound on bodies."""
    if encoding.strip().lower() not in (b"", b"identity"):
        name = encoding.decode("latin-1")
        raise RequestError(
            415, f"cannot read content encoding {name!r}; send the body as it is", {"accept-encoding": "identity"}
        )


async def read_body(headers: Headers, receive: Receive, *, advice: str) -> bytes:
    """The body, refused with the advice as soon as it is known to be too large."""
    body = bytearray()
    declared = int(headers.get(b"content-length", 0))
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
        raise RequestError(413, f"the body is larger than {sagemaker.MAX_BODY_BYTES} bytes; {advice}")
    return bytes(body)


def refuse(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal in the form of all refusals."""
    return Answer(status, json.dumps({"error": reason}).encode(), headers=headers or {}, error=reason)


async def send_answer(send: Send, answer: Answer) -> None:
    """Write the answer's head and content."""
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(answer.content)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
