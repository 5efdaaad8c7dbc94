"""The application of one worker: health, refusals, bounds, turns, metrics and what batch transform wants to know.

It speaks ASGI itself: with four paths and a few headers that decide, a framework would cost more than a prediction.
"""

import asyncio
import json
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar

from containers.shared import sagemaker
from containers.shared.serving import metrics as counts
from containers.shared.serving.content_types import choose_media_type, parse_content_type
from containers.shared.serving.events import log_event
from containers.shared.serving.messages import (
    Answer,
    Headers,
    Receive,
    RequestError,
    Scope,
    Send,
    check_content_encoding,
    check_method,
    read_body,
    refuse,
    send_answer,
)
from containers.shared.serving.metrics import Metrics
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.service import Servable, Service
from containers.shared.serving.traffic import Traffic

Result = TypeVar("Result")

METRICS_PATH = "/metrics"
BUSY = "the endpoint is busy with other requests; try again, or send less at a time"
# Of all requests that a worker holds at a time.
MOST_BODY_BYTES = 32 * sagemaker.MAX_BODY_BYTES
# By this code uvicorn's supervisor knows a worker that would fail in the same way again, and stops.
MODEL_REFUSED_EXIT = 3


class Patience(NamedTuple):
    """How many seconds a request may wait for others, and its prediction may take."""

    wait: float
    work: float


# The wait stays within the 60 seconds SageMaker gives an answer, beside the time to arrive and to compute. By the end
# of the work, SageMaker has reported a timeout to the caller, and work that goes on keeps all other work waiting.
REAL_TIME = Patience(wait=20, work=60)
# InvocationsTimeoutInSeconds of a batch transform job is an hour at most.
BATCH = Patience(wait=3600, work=3600)


class BrokenPredictionError(Exception):
    """A prediction that ended in anything but an answer or a refusal."""


class Endpoint:
    """The application of one worker.

    Args:
        service: The kind of model.
        root: Where SageMaker's folders are.
        workers: How many workers the endpoint has.
        traffic: Writes what has to be known about requests.
        metrics: Counts for Prometheus.
        patience: When it gives a request up.
    """

    def __init__(
        self,
        service: Service,
        root: Path,
        workers: int,
        traffic: Traffic,
        metrics: Metrics | None = None,
        patience: Patience = REAL_TIME,
    ) -> None:
        self.service = service
        self.root = root
        self.workers = workers
        self.traffic = traffic
        self.metrics = metrics or Metrics()
        self.patience = patience
        self.model: Servable | None = None
        self.body_bytes = 0
        # There is a worker per CPU; more large requests at a time would only hold more memory.
        self.turns = asyncio.Semaphore(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
            return
        start = time.perf_counter()
        answer = await self.answer(scope, receive)
        try:
            await send_answer(send, answer)
        finally:
            self.note(scope, answer, time.perf_counter() - start)

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve from the start to the end of the server."""
        scope["state"][counts.METRICS_STATE] = self.metrics
        await receive()
        if self.model is None:
            await self.begin_loading()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.traffic.summarize()
        await send({"type": "lifespan.shutdown.complete"})

    async def begin_loading(self) -> None:
        """Load the model: while serving, which shows SageMaker that the container is alive, or before if others serve.

        Requests go to any worker. One that begins beside workers with the model would refuse what they can answer.
        """
        # In this order: a worker that is ready too late for the second line finds the first when asked for its health.
        self.metrics.set(counts.WITHOUT_MODEL, 1)
        if self.metrics.is_any(counts.READY):
            self.metrics.set(counts.WITHOUT_MODEL, 0)
            with ending_at_once():
                await asyncio.to_thread(self.load_or_exit)
        else:
            threading.Thread(target=self.load_or_exit, daemon=True).start()

    def load_or_exit(self) -> None:
        """Load the model under the root; a container without one ends, so SageMaker stops waiting for it."""
        try:
            self.load()
        except ModelError:
            os._exit(MODEL_REFUSED_EXIT)

    def load(self) -> None:
        """Load the model under the root, and log how that went."""
        start = time.perf_counter()
        try:
            model = self.service.load(self.root / sagemaker.MODEL_FOLDER)
            seconds = time.perf_counter() - start
            log_event("model_loaded", **model.describe())
        except BaseException as error:
            known = isinstance(error, ModelError)
            log_event("model_refused", reason=str(error) if known else traceback.format_exc())
            raise ModelError(str(error)) from error
        self.model = model
        self.metrics.set(counts.LOAD_SECONDS, seconds)
        self.metrics.set(counts.READY, 1)
        self.metrics.set(counts.WITHOUT_MODEL, 0)

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer to one request, a refusal if need be."""
        try:
            return await self.dispatch(scope, receive)
        except RequestError as error:
            return refuse(error.status, str(error), error.headers)
        except Exception:  # noqa: BLE001 - the last resort: a caller gets an answer in the form of all refusals
            self.metrics.add(counts.MODEL_ERRORS)
            log_event("request_broke", path=scope["path"], traceback=traceback.format_exc())
            return refuse(500, "the request could not be answered; see the log of the endpoint")

    async def dispatch(self, scope: Scope, receive: Receive) -> Answer:
        """The answer of the path's handler."""
        path, method = scope["path"], scope["method"]
        if path == sagemaker.INVOCATIONS_PATH:
            check_method(method, "POST")
            return await self.answer_invocation(dict(scope["headers"]), receive)
        if path == sagemaker.PING_PATH:
            check_method(method, "GET", "HEAD", "POST")
            # Whatever SageMaker sends from now on may come to any worker.
            return Answer(503 if self.model is None or self.metrics.is_any(counts.WITHOUT_MODEL) else 200)
        if path == sagemaker.EXECUTION_PARAMETERS_PATH:
            check_method(method, "GET", "HEAD")
            return self.answer_execution_parameters()
        if path == METRICS_PATH:
            check_method(method, "GET", "HEAD")
            return Answer(200, self.metrics.render(), counts.MEDIA_TYPE)
        raise RequestError(404, f"there is nothing at {path}")

    async def answer_invocation(self, headers: Headers, receive: Receive) -> Answer:
        """The model's answer to a body, which is not read yet."""
        self.metrics.add(counts.IN_FLIGHT)
        try:
            return await self.predict(self.require_model(), headers, receive)
        finally:
            self.metrics.add(counts.IN_FLIGHT, amount=-1)

    async def predict(self, model: Servable, headers: Headers, receive: Receive) -> Answer:
        """The model's answer, once the headers are known to be such that there can be one."""
        check_content_encoding(headers.get(b"content-encoding", b""))
        accept = b"*/*" if self.service.answers_in_kind else headers.get(b"accept", b"*/*")
        media_type = choose_media_type(accept.decode("latin-1"), self.service.writes)
        content_type = parse_content_type(headers.get(b"content-type", b"").decode("latin-1"), self.service.reads)
        if self.service.answers_in_kind:
            media_type = content_type.media_type
        with self.making_room(headers):
            body = await read_body(headers, receive, advice=self.service.advice)
            if len(body) <= self.service.inline_bytes:
                prediction = attempt(model.predict, body, content_type, media_type)
            else:
                prediction = await self.run_in_turn(model.predict, body, content_type, media_type)
        return Answer(200, prediction.content, media_type, amounts=prediction.amounts)

    @contextmanager
    def making_room(self, headers: Headers) -> Iterator[None]:
        """Refuse a body that there is no room for beside those of other requests."""
        expected = min(int(headers.get(b"content-length", sagemaker.MAX_BODY_BYTES)), sagemaker.MAX_BODY_BYTES)
        if self.body_bytes + expected > MOST_BODY_BYTES:
            self.metrics.add(counts.REJECTED, counts.BUSY)
            raise RequestError(503, BUSY)
        self.body_bytes += expected
        try:
            yield
        finally:
            self.body_bytes -= expected

    def require_model(self) -> Servable:
        """The model; refuses what would need it before it is there."""
        if self.model is None:
            self.metrics.add(counts.REJECTED, counts.LOADING)
            raise RequestError(503, "the model is still loading; try again in a few seconds")
        return self.model

    def answer_execution_parameters(self) -> Answer:
        """How batch transform should call this container."""
        parameters = {
            "MaxConcurrentTransforms": self.workers,
            "BatchStrategy": self.service.batch_strategy,
            "MaxPayloadInMB": sagemaker.MAX_PAYLOAD_MB,
        }
        return Answer(200, json.dumps(parameters).encode())

    async def run_in_turn(self, work: Callable[..., Result], *arguments: object) -> Result:
        """What the work returns, done in another thread once the work before it is done, so that /ping is answered."""
        try:
            async with asyncio.timeout(self.patience.wait):
                await self.turns.acquire()
        except TimeoutError as error:
            self.metrics.add(counts.REJECTED, counts.BUSY)
            raise RequestError(503, BUSY) from error
        try:
            async with asyncio.timeout(self.patience.work):
                return await asyncio.to_thread(attempt, work, *arguments)
        except TimeoutError:
            self.end_hung()
        finally:
            self.turns.release()

    def end_hung(self) -> NoReturn:
        """End this worker, for a thread cannot be ended; its supervisor starts another."""
        log_event("prediction_hung", seconds=self.patience.work)
        self.traffic.summarize()
        os._exit(sagemaker.INTERNAL_ERROR_EXIT)

    def note(self, scope: Scope, answer: Answer, seconds: float) -> None:
        """Count a request that was answered, and log what has to be known about it."""
        self.metrics.note_request(scope["path"], answer.status, seconds)
        self.traffic.note(
            scope["method"], scope["path"], answer.status, seconds, amounts=answer.amounts, error=answer.error
        )


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Let SIGTERM end the process: uvicorn's handler waits until the application has started."""
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def attempt(work: Callable[..., Result], *arguments: object) -> Result:
    """What the work returns; some of what it may raise would never reach the request, or not as an error."""
    try:
        return work(*arguments)
    except RequestError:
        raise
    except BaseException as error:
        raise BrokenPredictionError from error
