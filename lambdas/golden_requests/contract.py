"""Names that the infrastructure gives and the function reads and answers; standard library only."""

from enum import StrEnum
from typing import Final

FUNCTION_HANDLER: Final = "golden_requests.handler.handle"
MEMORY_MIB: Final = 512
TIMEOUT_SECONDS: Final = 300


class Variable(StrEnum):
    """The function's environment variables."""

    BUCKET = "GOLDEN_BUCKET"
    KEY = "GOLDEN_KEY"


class Request(StrEnum):
    """What the state machine asks: which endpoint."""

    ENDPOINT = "EndpointName"


class Answer(StrEnum):
    """What the function answers: how many requests were not answered as expected, and which."""

    WRONG = "Wrong"
    REASON = "Reason"
