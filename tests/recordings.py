"""Where recordings of real runs are kept, and how they are read."""

import json
from typing import Any

from tests.tables import PROJECT

RECORDINGS = PROJECT / "tests" / "recordings"


def read_recording(environment: str) -> dict[str, Any]:
    """The roles of an environment with their policies, and the calls that they made."""
    recording: dict[str, Any] = json.loads((RECORDINGS / f"calls-{environment}.json").read_text())
    return recording
