"""The web application: the classes of an image, beside what all endpoints have."""

from collections.abc import Mapping
from email.message import Message
from pathlib import Path

from containers.shared.images.decoding import DecodingError
from containers.shared.serving.endpoint import Answer, Endpoint, Headers, Receive, RequestError, read_body
from containers.shared.serving.settings import ACCESS_LOG_EVERY, read_server_settings
from containers.shared.serving.traffic import Traffic

from . import contract
from .answers import accepts_json, format_answer
from .model import Model, load_model

READABLE = (contract.IMAGE, contract.JPEG, contract.PNG)


class ImageEndpoint(Endpoint):
    """The probable classes of one image."""

    batch_strategy = "SINGLE_RECORD"
    model: Model

    def load_model(self, folder: Path) -> Mapping[str, object]:
        """Load the classifier."""
        self.model = load_model(folder)
        return {"classes": len(self.model.labels)}

    async def answer_invocation(self, headers: Headers, receive: Receive) -> Answer:
        """The probable classes of the image in the body."""
        accept = headers.get(b"accept", b"*/*").decode("latin-1")
        if not accepts_json(accept):
            raise RequestError(406, f"cannot answer as {accept!r}; accepted is {contract.JSON}")
        check_content_type(headers.get(b"content-type", b"").decode("latin-1"))
        body = await read_body(headers, receive, advice="send a smaller image")
        if not body:
            raise RequestError(400, "the body is empty; send one JPEG or PNG image")
        try:
            probabilities = await self.run_in_turn(self.model.classify, body)
        except DecodingError as error:
            raise RequestError(400, f"the body cannot be decoded: {error}") from error
        return Answer(200, format_answer(self.model.labels, probabilities), amounts={"bytes": len(body)})


def check_content_type(content_type: str) -> None:
    """Refuse what is not an image, before the body is read."""
    message = Message()
    message["content-type"] = content_type
    if not content_type or message.get_content_type() not in READABLE:
        raise RequestError(415, f"cannot read content type {content_type!r}; accepted are {', '.join(READABLE)}")


def create_app() -> ImageEndpoint:
    """The application of one worker process, configured by the environment."""
    settings = read_server_settings()
    return ImageEndpoint(settings.root, settings.workers, Traffic(every=settings.access_log == ACCESS_LOG_EVERY))
