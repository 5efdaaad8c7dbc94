"""What is served: the probability of each class, in the form of SageMaker's built-in image classification.

`application/json` is a list, and a line of `application/jsonlines` has it under a name:

    [0.125, 0.875]
    {"prediction": [0.125, 0.875]}
"""

import json
from pathlib import Path

from containers.shared.images.decoding import DecodingError
from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.service import Prediction, Service

from . import contract
from .model import load_model

# The network computes in single precision, which further digits would only pretend to exceed.
SIGNIFICANT_DIGITS = 7


class ImageClassifier:
    """A network that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

    def describe(self) -> dict[str, object]:
        """How many classes there are, and how large photographs are looked at."""
        return {"classes": len(self.model.labels), "side": self.model.side}

    def predict(self, body: bytes, _content_type: ContentType, media_type: str) -> Prediction:
        """The probabilities for the photograph in the body."""
        if not body:
            raise RequestError(400, "the body is empty; send one JPEG or PNG photograph")
        try:
            probabilities = self.model.classify(body)
        except DecodingError as error:
            raise RequestError(400, f"the body cannot be decoded: {error}") from error
        return Prediction(format_answer(probabilities, media_type), {"bytes": len(body)})


def format_answer(probabilities: list[float], media_type: str) -> bytes:
    """The answer in the chosen form."""
    rounded = [float(f"{probability:.{SIGNIFICANT_DIGITS}g}") for probability in probabilities]
    if media_type == contract.JSON:
        return json.dumps(rounded).encode()
    return json.dumps({"prediction": rounded}).encode() + b"\n"


SERVICE = Service(
    load=ImageClassifier,
    reads=(contract.IMAGE, contract.JPEG, contract.PNG),
    writes=(contract.JSON, contract.JSON_LINES),
    batch_strategy="SINGLE_RECORD",
    advice="send a smaller photograph",
)
