"""What is served: the objects in a photograph, in the form of SageMaker's built-in object detection.

An object is its class, how sure the detector is, then left, top, right and bottom as parts of the photograph; the
surest is the first. `application/jsonlines` has the same on a line:

    {"prediction": [[1.0, 0.93, 0.31, 0.07, 0.71, 0.93], [0.0, 0.41, 0.57, 0.4, 0.83, 0.97]]}

https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-in-formats.html
"""

import json
from pathlib import Path

from containers.shared.images.decoding import DecodingError
from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.service import Prediction, Service

from . import contract
from .finding import Floats
from .model import load_model

# The network computes in single precision, which further digits would only pretend to exceed.
SIGNIFICANT_DIGITS = 7


class Detector:
    """A detector that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

    def describe(self) -> dict[str, object]:
        """How many classes there are, and how large photographs are looked at."""
        return {"classes": self.model.classes, "side": self.model.side}

    def predict(self, body: bytes, _content_type: ContentType, media_type: str) -> Prediction:
        """The objects in the photograph of the body."""
        if not body:
            raise RequestError(400, "the body is empty; send one JPEG or PNG photograph")
        try:
            found = self.model.find(body)
        except DecodingError as error:
            raise RequestError(400, f"the body cannot be decoded: {error}") from error
        return Prediction(format_answer(found, media_type), {"bytes": len(body), "objects": len(found)})


def format_answer(found: Floats, media_type: str) -> bytes:
    """The answer in the chosen form."""
    rows = [[float(f"{number:.{SIGNIFICANT_DIGITS}g}") for number in row] for row in found.tolist()]
    return json.dumps({"prediction": rows}).encode() + (b"\n" if media_type == contract.JSON_LINES else b"")


SERVICE = Service(
    load=Detector,
    reads=(contract.JPEG, contract.PNG, contract.IMAGE),
    writes=(contract.JSON, contract.JSON_LINES),
    batch_strategy="SINGLE_RECORD",
    advice="send a smaller photograph",
)
