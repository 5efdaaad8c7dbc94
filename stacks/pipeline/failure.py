"""How all state machines fail: whatever goes wrong is kept in `$failure` and leads to one state."""

from typing import Any

from stacks.pipeline.asl import Fail, jsonata

FAILED = "Failed"
FAILURE = Fail(error=jsonata("$failure.Error"), cause=jsonata("$failure.Cause"))


def assign_failure(error: str, cause: str) -> dict[str, Any]:
    """What a branch to the failure state assigns: the error's name, and JSONata for its cause."""
    return {"failure": {"Error": error, "Cause": jsonata(cause)}}
