"""The web application: health, the classes of an image and what batch transform wants to know."""

from email.message import Message
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from containers.shared import sagemaker
from containers.shared.image_decoding import ImageError
from containers.shared.model_files import ModelError
from containers.shared.server_events import log_event
from containers.shared.server_settings import read_server_settings

from . import contract
from .access_log import AccessLog
from .answers import accepts_json, format_answer
from .model import Model, load_model

READABLE = (contract.IMAGE, contract.JPEG, contract.PNG)


class RequestError(Exception):
    """A request that is refused with a status and a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Endpoint:
    """The handlers of one worker, with the model it holds or the reason why it holds none."""

    def __init__(self, model: Model | None, workers: int) -> None:
        self.model = model
        self.workers = workers
        # There is a worker per CPU; more images at a time would only hold more pixels in memory.
        self.turns = CapacityLimiter(1)

    async def ping(self, _request: Request) -> Response:
        """200 once the model is loaded, 404 if it cannot be."""
        return Response(status_code=200 if self.model else 404)

    async def execution_parameters(self, _request: Request) -> Response:
        """How batch transform should call this container."""
        return JSONResponse(
            {
                "MaxConcurrentTransforms": self.workers,
                "BatchStrategy": "SINGLE_RECORD",
                "MaxPayloadInMB": sagemaker.MAX_PAYLOAD_MB,
            }
        )

    async def invocations(self, request: Request) -> Response:
        """The probable classes of the image in the body."""
        if self.model is None:
            raise RequestError(503, "the model could not be loaded; the log of the container's start says why")
        accept = request.headers.get("accept", "*/*")
        if not accepts_json(accept):
            raise RequestError(406, f"cannot answer as {accept!r}; accepted is {contract.JSON}")
        check_content_type(request.headers.get("content-type", ""))
        body = await read_body(request)
        # Decoding takes milliseconds to seconds, during which /ping has to be answered.
        probabilities = await to_thread.run_sync(self.model.classify, body, limiter=self.turns)
        request.state.outcome = {"bytes": len(body)}
        return Response(format_answer(self.model.labels, probabilities), media_type=contract.JSON)


def check_content_type(content_type: str) -> None:
    """Refuse what is no image, before the body is read."""
    message = Message()
    message["content-type"] = content_type
    if not content_type or message.get_content_type() not in READABLE:
        raise RequestError(415, f"cannot read content type {content_type!r}; accepted are {', '.join(READABLE)}")


async def read_body(request: Request) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "0")
    body = bytearray()
    if int(declared) <= sagemaker.MAX_BODY_BYTES:
        async for chunk in request.stream():
            body += chunk
            if len(body) > sagemaker.MAX_BODY_BYTES:
                break
        else:
            if body:
                return bytes(body)
            raise RequestError(400, "the body is empty; send one JPEG or PNG image")
    raise RequestError(413, f"the body is larger than {sagemaker.MAX_BODY_BYTES} bytes; send a smaller image")


async def answer_refusal(request: Request, error: Exception) -> Response:
    """The reason for a refusal, for the caller and for the log."""
    status = error.status if isinstance(error, RequestError) else 400
    reason = f"the body cannot be decoded: {error}" if isinstance(error, ImageError) else str(error)
    request.state.outcome = {"error": reason}
    return JSONResponse({"error": reason}, status_code=status)


async def answer_disconnect(request: Request, _error: Exception) -> Response:
    """Nothing: nobody listens any more, but the log tells it from a failure."""
    request.state.outcome = {"error": "the caller went away"}
    return Response(status_code=400)


def build_app(root: Path, workers: int) -> Starlette:
    """The application for the model under the root; a model that cannot be loaded is logged and served as unhealthy."""
    model = None
    try:
        model = load_model(root / sagemaker.MODEL_FOLDER)
        log_event("model_loaded", classes=len(model.labels))
    except ModelError as error:
        log_event("model_refused", reason=str(error))
    endpoint = Endpoint(model, workers)
    return Starlette(
        routes=[
            Route(sagemaker.PING_PATH, endpoint.ping, methods=["GET", "POST"]),
            Route(sagemaker.INVOCATIONS_PATH, endpoint.invocations, methods=["POST"]),
            Route(sagemaker.EXECUTION_PARAMETERS_PATH, endpoint.execution_parameters),
        ],
        middleware=[Middleware(AccessLog)],
        exception_handlers={
            RequestError: answer_refusal,
            ImageError: answer_refusal,
            ClientDisconnect: answer_disconnect,
        },
    )


def create_app() -> Starlette:
    """The application of one worker process, configured by the environment."""
    settings = read_server_settings()
    return build_app(settings.root, settings.workers)
