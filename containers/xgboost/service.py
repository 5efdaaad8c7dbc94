"""What is served: the answers of grown trees, in the built-in algorithm's forms."""

import json
import os
from pathlib import Path
from typing import Any

import xgboost

from containers.shared import sagemaker
from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.model_files import ModelError, read_file
from containers.shared.serving.service import Prediction, Service
from containers.shared.tables.csv_rows import parse_csv
from containers.shared.tables.rows import BadRowsError, parse_recordio
from headrace.recordio.framing import RecordIOError

from . import contract
from .reading import parse_libsvm, refuse_infinite

# Larger bodies would keep the event loop, and so /ping, waiting for more than a few milliseconds.
LARGEST_INLINE_BODY = 16 * 1024
# Both of XGBoost's data-only formats, JSON and UBJSON, begin so.
_BEGINNING = b"{"


class Trees:
    """Grown trees that answer requests."""

    def __init__(self, folder: Path) -> None:
        path = folder / contract.MODEL_FILE
        content = read_file(path, contract.MOST_MODEL_BYTES)
        if not content.startswith(_BEGINNING):
            raise ModelError(
                f"{path}: neither JSON nor UBJSON, and what else there is can run code; save the model with XGBoost's "
                "save_model"
            )
        self.booster = xgboost.Booster({"nthread": 1})
        try:
            self.booster.load_model(bytearray(content))
        except xgboost.core.XGBoostError as error:
            raise ModelError(f"{path}: XGBoost cannot load it: {str(error).splitlines()[0]}") from error
        self.width = self.booster.num_features()
        # A transform job puts answers below each other; the built-in algorithm answers others on one line.
        self.separator = "\n" if os.environ.get(sagemaker.BATCH_VARIABLE) == "true" else ","

    def describe(self) -> dict[str, object]:
        """How many features the trees know, and how many rounds they have grown."""
        return {"features": self.width, "rounds": self.booster.num_boosted_rounds()}

    def predict(self, body: bytes, content_type: ContentType, media_type: str) -> Prediction:
        """One answer per row of the body."""
        try:
            features = self.read(body, content_type.media_type)
            refuse_infinite(features)
        except (BadRowsError, RecordIOError) as error:
            raise RequestError(400, str(error)) from error
        if features.shape[1] != self.width:
            raise RequestError(
                400, f"the rows have {features.shape[1]} features, and the model knows {self.width}; send no label"
            )
        answers = self.booster.predict(xgboost.DMatrix(features, nthread=1), validate_features=False).tolist()
        return Prediction(self.write(answers, media_type), {"rows": len(answers)})

    def read(self, body: bytes, media_type: str) -> Any:
        """The rows of a body, without labels."""
        if not body.strip():
            raise BadRowsError("the body is empty; send at least one row")
        if media_type == contract.CSV:
            return parse_csv(body)
        if media_type == contract.RECORDIO:
            return parse_recordio(body)
        lines = body.decode("utf-8", errors="replace").splitlines()
        return parse_libsvm(lines, has_labels=False, width=self.width)[1]

    def write(self, answers: list[Any], media_type: str) -> bytes:
        """Answers in the chosen form, in the order of the rows."""
        if media_type == contract.JSON:
            return json.dumps({"predictions": [{"score": answer} for answer in answers]}).encode()
        end = "\n" if self.separator == "\n" else ""
        return (self.separator.join(map(str, answers)) + end).encode()


SERVICE = Service(
    load=Trees,
    reads=(contract.CSV, contract.LIBSVM, contract.LIBSVM_ALIAS, contract.RECORDIO),
    writes=(contract.CSV, contract.JSON),
    batch_strategy="MULTI_RECORD",
    advice="send fewer rows at a time",
    inline_bytes=LARGEST_INLINE_BODY,
)
