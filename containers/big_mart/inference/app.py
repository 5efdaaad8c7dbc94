"""The web application: predictions of raw rows, beside what all endpoints have."""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from containers.shared.serving.endpoint import Answer, Endpoint, Headers, Receive, RequestError, read_body
from containers.shared.serving.settings import ACCESS_LOG_EVERY, read_server_settings
from containers.shared.serving.traffic import Traffic

from . import contract
from .answers import MEDIA_TYPES, choose_media_type, format_predictions
from .model import Model, load_model
from .parsing import BodyError, parse_csv, parse_json_lines

# Larger bodies would keep the event loop, and so /ping, waiting for more than a few milliseconds.
LARGEST_INLINE_BODY = 16 * 1024
HEADERS = {contract.HEADER_PRESENT: True, contract.HEADER_ABSENT: False}
READABLE = (contract.CSV, contract.JSON_LINES, contract.JSON_LINES_ALIAS)


class ContentType(NamedTuple):
    """A body's media type, and whether its first row is a header if it says so."""

    media_type: str
    header: bool | None


class ForestEndpoint(Endpoint):
    """One prediction per raw row."""

    batch_strategy = "MULTI_RECORD"
    model: Model

    def load_model(self, folder: Path) -> Mapping[str, object]:
        """Load the forest and its encoding."""
        self.model = load_model(folder)
        return {"features": len(self.model.encoding.features)}

    async def answer_invocation(self, headers: Headers, receive: Receive) -> Answer:
        """One prediction per row of the body."""
        accept = headers.get(b"accept", b"*/*").decode("latin-1")
        media_type = choose_media_type(accept)
        if media_type is None:
            raise RequestError(406, f"cannot answer as {accept!r}; accepted are {', '.join(MEDIA_TYPES)}")
        content_type = parse_content_type(headers.get(b"content-type", b"").decode("latin-1"))
        body = await read_body(headers, receive, advice="send fewer rows at a time")
        if len(body) <= LARGEST_INLINE_BODY:
            predictions = predict(self.model, content_type, body)
        else:
            predictions = await self.run_in_turn(predict, self.model, content_type, body)
        content = format_predictions(predictions, media_type)
        return Answer(200, content, media_type, amounts={"rows": len(predictions)})


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


def predict(model: Model, content_type: ContentType, body: bytes) -> list[float]:
    """Predictions for a body that is readable by its content type."""
    if body.count(b"\n") > contract.MAX_ROWS:
        raise RequestError(413, f"the body has more than {contract.MAX_ROWS} rows; send fewer rows at a time")
    try:
        if content_type.media_type == contract.CSV:
            return model.predict(parse_csv(body, model.encoding, header=content_type.header))
        return model.predict(parse_json_lines(body, model.encoding))
    except BodyError as error:
        raise RequestError(400, str(error)) from error


def create_app() -> ForestEndpoint:
    """The application of one worker process, configured by the environment."""
    settings = read_server_settings()
    return ForestEndpoint(settings.root, settings.workers, Traffic(every=settings.access_log == ACCESS_LOG_EVERY))
