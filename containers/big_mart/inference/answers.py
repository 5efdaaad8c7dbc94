"""Choosing and writing the form of an answer."""

import json
from collections.abc import Sequence

from containers.shared.serving.accept_headers import Wish, parse_accept

from . import contract

MEDIA_TYPES = (contract.CSV, contract.JSON, contract.JSON_LINES, contract.JSON_LINES_ALIAS)


def choose_media_type(accept: str) -> str | None:
    """The answer's media type that the caller likes best; CSV where it does not matter, None where none will do."""
    wishes = sorted(parse_accept(accept), key=lambda wish: -wish.quality)
    for pattern, quality in wishes or [Wish("*/*", 1.0)]:
        for media_type in MEDIA_TYPES:
            if quality > 0 and matches(pattern, media_type):
                return media_type
    return None


def matches(pattern: str, media_type: str) -> bool:
    """True when the pattern, such as `text/*`, covers the media type."""
    return pattern in ("*/*", media_type, media_type.split("/")[0] + "/*")


def format_predictions(predictions: Sequence[float], media_type: str) -> bytes:
    """The predictions in the chosen form, in the order of the rows."""
    if media_type == contract.CSV:
        return "".join(f"{prediction}\n" for prediction in predictions).encode()
    if media_type == contract.JSON:
        return json.dumps({"predictions": list(predictions)}).encode()
    return "".join(f'{{"prediction": {prediction}}}\n' for prediction in predictions).encode()
