"""Names that the infrastructure gives and the function reads and answers; standard library only."""

from enum import StrEnum
from typing import Final

FUNCTION_HANDLER: Final = "tidy.handler.handle"
MEMORY_MIB: Final = 256
TIMEOUT_SECONDS: Final = 300

# The key of the event that says when the function was called, by the clock that its account has.
TIME: Final = "Time"


class Variable(StrEnum):
    """The function's environment variables.

    They are the model package group, the tags that say whose a resource is as a JSON object, how many of each kind stay
    at least, and for how many hours everything stays, because an execution that still runs may have made it.
    """

    GROUP = "TIDY_GROUP"
    TAGS = "TIDY_TAGS"
    KEEP = "TIDY_KEEP"
    HOURS = "TIDY_HOURS"


class Answer(StrEnum):
    """What the function answers: the names of what it has deleted, and what it could not do, in words."""

    CONFIGS = "EndpointConfigs"
    MODELS = "Models"
    VERSIONS = "ModelPackages"
    LEFT = "Left"
