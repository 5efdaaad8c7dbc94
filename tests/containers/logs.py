"""What a container's program has logged."""

import json
from typing import Any

import pytest


def read_log(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The events on standard output since it was read last."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
