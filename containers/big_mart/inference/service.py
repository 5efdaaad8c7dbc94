"""What is served: a prediction for each raw row."""

from pathlib import Path

from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.service import Prediction, Service

from . import contract
from .answers import MEDIA_TYPES, format_predictions
from .model import Model, load_model
from .parsing import BodyError, parse_csv, parse_json_lines

# Larger bodies would keep the event loop, and so /ping, waiting for more than a few milliseconds.
LARGEST_INLINE_BODY = 16 * 1024
HEADERS = {contract.HEADER_PRESENT: True, contract.HEADER_ABSENT: False}


class Forest:
    """A forest that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

    def describe(self) -> dict[str, object]:
        """How many features the forest takes."""
        return {"features": len(self.model.encoding.features)}

    def predict(self, body: bytes, content_type: ContentType, media_type: str) -> Prediction:
        """One prediction per row of the body."""
        predictions = predict(self.model, content_type, body)
        return Prediction(format_predictions(predictions, media_type), {"rows": len(predictions)})


def predict(model: Model, content_type: ContentType, body: bytes) -> list[float]:
    """Predictions for a body that is readable by its content type."""
    header = read_header_parameter(content_type)
    if body.count(b"\n") > contract.MAX_ROWS:
        raise RequestError(413, f"the body has more than {contract.MAX_ROWS} rows; send fewer rows at a time")
    try:
        if content_type.media_type == contract.CSV:
            return model.predict(parse_csv(body, model.encoding, header=header))
        return model.predict(parse_json_lines(body, model.encoding))
    except BodyError as error:
        raise RequestError(400, str(error)) from error


def read_header_parameter(content_type: ContentType) -> bool | None:
    """Whether the first row is a header, if the content type says so."""
    header = content_type.parameters.get(contract.HEADER_PARAMETER)
    if header is not None and header not in HEADERS:
        raise RequestError(400, f"content-type parameter header={header} is neither {' nor '.join(HEADERS)}")
    return HEADERS.get(str(header))


SERVICE = Service(
    load=Forest,
    reads=(contract.CSV, contract.JSON_LINES, contract.JSON_LINES_ALIAS),
    writes=MEDIA_TYPES,
    batch_strategy="MULTI_RECORD",
    advice="send fewer rows at a time",
    inline_bytes=LARGEST_INLINE_BODY,
)
