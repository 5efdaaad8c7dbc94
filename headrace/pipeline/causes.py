"""What executions say of why they failed."""

import json


def read_cause(cause: str) -> str:
    """The message alone, where a function has raised it: Lambda packs it in JSON.

    Example:
        >>> read_cause('{"errorMessage": "Train: no rows", "errorType": "TrainFailed", "stackTrace": []}')
        'Train: no rows'
    """
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    is_raised = isinstance(found, dict) and "errorType" in found and isinstance(found.get("errorMessage"), str)
    return found["errorMessage"] if is_raised else cause
