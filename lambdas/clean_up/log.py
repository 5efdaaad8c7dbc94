"""The function's log: a line of JSON for each event."""

import json
import sys
from typing import Any


def note(event: str, **details: Any) -> None:
    """Write an event down."""
    sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
