"""What is served: the answers of a linear model, in the built-in algorithm's forms."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.service import Prediction, Service
from containers.shared.tables.rows import BadRowsError
from headrace.recordio.framing import RecordIOError
from headrace.recordio.records import Record, Tensor, encode_record, frame_message

from . import contract
from .model import load_model
from .requests import parse_rows

# Larger bodies would keep the event loop, and so /ping, waiting for more than a few milliseconds.
LARGEST_INLINE_BODY = 16 * 1024


class LinearModel:
    """A linear model that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)
        self.width = self.model.weights.shape[1]

    def describe(self) -> dict[str, object]:
        """What it predicts, and from how many features."""
        return {"predictor_type": self.model.kind, "features": self.width}

    def predict(self, body: bytes, content_type: ContentType, media_type: str) -> Prediction:
        """One answer per row of the body."""
        try:
            features = parse_rows(body, content_type.media_type, self.width)
        except (BadRowsError, RecordIOError) as error:
            raise RequestError(400, str(error)) from error
        answers = self.model.answer(features)
        return Prediction(format_answers(answers, media_type), {"rows": len(answers)})


def format_answers(answers: list[dict[str, Any]], media_type: str) -> bytes:
    """The answers in the chosen form, in the order of the rows."""
    if media_type == contract.JSON:
        return json.dumps({"predictions": answers}).encode()
    if media_type == contract.JSON_LINES:
        return "".join(f"{json.dumps(answer)}\n" for answer in answers).encode()
    return b"".join(frame_message(encode_record(_to_record(answer))) for answer in answers)


def _to_record(answer: dict[str, Any]) -> Record:
    label = {name: Tensor.pack(np.atleast_1d(np.asarray(value, np.float32))) for name, value in answer.items()}
    return Record({}, label)


SERVICE = Service(
    load=LinearModel,
    reads=(contract.CSV, contract.JSON, contract.JSON_LINES, contract.RECORDIO),
    writes=(contract.JSON, contract.JSON_LINES, contract.RECORDIO),
    batch_strategy="MULTI_RECORD",
    advice="send fewer rows at a time",
    inline_bytes=LARGEST_INLINE_BODY,
)
