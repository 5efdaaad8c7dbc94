"""How jobs end, and what interrupts them."""

from dataclasses import dataclass
from typing import Final

from headrace.local.sagemaker.processes import ContainerProcess
from headrace.local.sagemaker.programs import RunningPrograms
from headrace.local.sagemaker.trees import CONTAINER_ROOT, ROOT_VARIABLE

REASON_CHARACTERS = 1024


@dataclass(frozen=True)
class Interruption:
    """What takes a job's machine away.

    Args:
        grace_seconds: How long the program has between SIGTERM and SIGKILL; 0 for no warning at all.
        lasts_seconds: After how long there is another machine.
    """

    grace_seconds: float
    lasts_seconds: float = 0


@dataclass(frozen=True)
class JobEnd:
    """How a job ended; `detail` is a status finer than the job's own, such as MaxRuntimeExceeded."""

    status: str
    detail: str
    failure_reason: str = ""


COMPLETED = JobEnd("Completed", "Completed")
STOPPED = JobEnd("Stopped", "Stopped")
NO_CAPACITY: Final = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)
# Not an end: the machine was taken away, and the program starts again on another one.
INTERRUPTED = JobEnd("InProgress", "Interrupted")
INTERNAL_FAILURE = JobEnd(
    "Failed", "Failed", "InternalServerError: We encountered an internal error. Please try again."
)
NOT_PLACED = (
    "this machine allows no mounts, so there is no /opt/ml here: a program finds its folders below the one that "
    f"{ROOT_VARIABLE} names"
)


def fail(reason: str) -> JobEnd:
    """A failure with its reason, cut to what the API can carry."""
    return JobEnd("Failed", "Failed", reason[:REASON_CHARACTERS])


def describe_failed_program(failure: str, process: ContainerProcess, host: str = "") -> str:
    """SageMaker's words for a program that failed, of which the exit code is never cut off.

    Where SageMaker says nothing of a program that left no failure file, this says what it printed last, and of which
    of several instances it was.
    """
    begin, end = f"{host}: " if host else "", f", exit code: {process.exit_code}"
    room = REASON_CHARACTERS - len("AlgorithmError: ") - len(begin) - len(end)
    return begin + (failure[:room] or describe_end(process, room)) + end


def describe_end(process: ContainerProcess, room: int) -> str:
    """How a program ended that does not say so itself: its signal, its last lines, and a cause that it cannot know."""
    signal = f"{process.end_signal} ended the program" if process.end_signal else ""
    cause = NOT_PLACED if str(CONTAINER_ROOT) in process.last_lines and not process.is_placed else ""
    begin, end = f"{signal}: " if signal else "", f" ({cause})" if cause else ""
    if not process.last_lines:
        return signal or "the program printed nothing"
    return begin + process.last_lines[-(room - len(begin) - len(end)) :] + end


def end_interrupted(running: RunningPrograms, interruption: Interruption) -> None:
    """Ends the programs whose machines are taken away."""
    if interruption.grace_seconds:
        running.stop(interruption.grace_seconds)
    else:
        running.kill()
