"""What is served: the probable classes of an image."""

from pathlib import Path

from containers.shared.images.decoding import DecodingError
from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.service import Prediction, Service

from . import contract
from .answers import format_answer
from .model import load_model


class ImageClassifier:
    """A classifier that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

    def describe(self) -> dict[str, object]:
        """How many classes there are."""
        return {"classes": len(self.model.labels)}

    def predict(self, body: bytes, _content_type: ContentType, _media_type: str) -> Prediction:
        """The probable classes of the photograph in the body."""
        if not body:
            raise RequestError(400, "the body is empty; send one JPEG or PNG photograph")
        try:
            probabilities = self.model.classify(body)
        except DecodingError as error:
            raise RequestError(400, f"the body cannot be decoded: {error}") from error
        return Prediction(format_answer(self.model.labels, probabilities), {"bytes": len(body)})


SERVICE = Service(
    load=ImageClassifier,
    reads=(contract.IMAGE, contract.JPEG, contract.PNG),
    writes=(contract.JSON,),
    batch_strategy="SINGLE_RECORD",
    advice="send a smaller photograph",
)
