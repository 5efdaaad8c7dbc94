"""Names that the infrastructure gives and the function reads; standard library only."""

from enum import StrEnum
from typing import Final

FUNCTION_HANDLER: Final = "clean_up.handler.handle"
MEMORY_MIB: Final = 256
# The longest that Lambda allows: jobs and endpoints take minutes to end.
TIMEOUT_SECONDS: Final = 900

# The keys of what the state machine says.
EXECUTION: Final = "Execution"
FAILURE: Final = "Failure"
REDRIVES: Final = "Redrives"
# The keys of a failure, besides the redrives that there had been.
ERROR: Final = "Error"
CAUSE: Final = "Cause"
STATE: Final = "State"


class Variable(StrEnum):
    """The function's environment variables; those of the note are there where the endpoint can be stopped."""

    TOPIC = "ALARM_TOPIC_ARN"
    NOTE_BUCKET = "SERVED_NOTE_BUCKET"
    NOTE_KEY = "SERVED_NOTE_KEY"
    LOG_GROUP = "STATE_MACHINE_LOG_GROUP"
