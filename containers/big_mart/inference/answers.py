"""The form of an answer."""

import json
from collections.abc import Sequence

from . import contract

MEDIA_TYPES = (contract.CSV, contract.JSON, contract.JSON_LINES, contract.JSON_LINES_ALIAS)


def format_predictions(predictions: Sequence[float], media_type: str) -> bytes:
    """The predictions in the chosen form, in the order of the rows."""
    if media_type == contract.CSV:
        return "".join(f"{prediction}\n" for prediction in predictions).encode()
    if media_type == contract.JSON:
        return json.dumps({"predictions": list(predictions)}).encode()
    return "".join(f'{{"prediction": {prediction}}}\n' for prediction in predictions).encode()
