"""The errors callers of the SageMaker API see, and those that end a job."""

from collections.abc import Mapping
from typing import Any


class SageMakerError(Exception):
    """An answer of the API that is an error: its code, its message and its HTTP status.

    Args:
        details: further members of the error's shape, such as ModelError's OriginalStatusCode.
    """

    def __init__(self, code: str, message: str, status: int = 400, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = dict(details or {})


class RequestRefusedError(SageMakerError):
    """A request that SageMaker would answer with a ValidationException."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class JobDataError(Exception):
    """Data of the caller that cannot be staged or stored; SageMaker reports it as a ClientError."""


class AlgorithmError(Exception):
    """A container program that ended without success."""


class StoppedError(Exception):
    """Work given up because somebody asked for it."""
