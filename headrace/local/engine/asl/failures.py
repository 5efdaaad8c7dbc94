"""How states fail: the errors of the language, and which of them a name in Retry or Catch means."""

from collections.abc import Collection
from typing import Final

ALL: Final = "States.ALL"
DATA_LIMIT: Final = "States.DataLimitExceeded"
HEARTBEAT_TIMEOUT: Final = "States.HeartbeatTimeout"
QUERY_EVALUATION: Final = "States.QueryEvaluationError"
RESULT_WRITER_FAILED: Final = "States.ResultWriterFailed"
RUNTIME: Final = "States.Runtime"
TASK_FAILED: Final = "States.TaskFailed"
TIMEOUT: Final = "States.Timeout"
TOO_MANY_FAILED: Final = "States.ExceedToleratedFailureThreshold"

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
_NOT_WILD: Final = frozenset({DATA_LIMIT, RUNTIME})


class StateFailedError(Exception):
    """A state that failed, by an error's name and its cause."""

    def __init__(self, error: str | None, cause: str | None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    @property
    def output(self) -> dict[str, str]:
        """The Error Output that a catcher passes on."""
        return {"Error": self.error or "", **({} if self.cause is None else {"Cause": self.cause})}


def fail_at_runtime(cause: str) -> StateFailedError:
    """What cannot be processed; Step Functions reports failures of paths and intrinsic functions like this, too."""
    return StateFailedError(RUNTIME, cause)


def fail_evaluation(cause: str) -> StateFailedError:
    """A JSONata expression without the value that it must have."""
    return StateFailedError(QUERY_EVALUATION, cause)


def matches(names: Collection[str], error: str | None) -> bool:
    """Whether names in ErrorEquals mean an error."""
    if error in names:
        return error != RUNTIME
    if error in _NOT_WILD:
        return False
    if ALL in names:
        return True
    if error == HEARTBEAT_TIMEOUT and TIMEOUT in names:
        return True
    return TASK_FAILED in names and error != TIMEOUT
