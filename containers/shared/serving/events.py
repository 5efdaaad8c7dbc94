"""Log lines of a server: one JSON object each, on standard output."""

import json
import sys


def log_event(event: str, **fields: object) -> None:
    """Write one event with its fields."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()
