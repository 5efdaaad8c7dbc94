"""Reading the JSON of a request, or of one of its lines."""

import json
from typing import Any, Final

from containers.shared.serving.messages import RequestError

# How much of what is wrong goes into a reason.
SHOWN: Final = 100


def load_json(text: bytes, place: str) -> Any:
    """What a text says, refused with its place where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"{place}: not JSON: {str(error)[:SHOWN]}") from error
