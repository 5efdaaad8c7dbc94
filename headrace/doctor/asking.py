"""Questions that are asked side by side, none of which can hold up the answer to the others."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from headrace.doctor.permissions import ACTIONS
from headrace.errors import HeadraceError

_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden")

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class NotSeen:
    """There is no answer.

    Args:
        reason: Why.
    """

    reason: str


def ask_all(questions: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """The answers by the names of the questions; a `NotSeen` where one has failed, or has not come in time.

    Args:
        questions: What to call, each in a thread that does not keep this process from ending.
        seconds: How long to wait for all of them together.
    """
    came: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for name, question in questions.items():
        threading.Thread(target=lambda n=name, q=question: came.put((n, _ask(q))), daemon=True).start()
    answers: dict[str, Any] = {}
    deadline = time.monotonic() + seconds
    while len(answers) < len(questions):
        try:
            name, answer = came.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        answers[name] = answer
    late = NotSeen(f"no answer within {seconds:g} s")
    return {name: answers.get(name, late) for name in questions}


def _ask(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except ClientError as error:
        return NotSeen(explain_refusal(error))
    except (BotoCoreError, HeadraceError, OSError) as error:
        return NotSeen(" ".join(str(error).split()))


def find_code(error: ClientError) -> str:
    """The code of a service's error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: ClientError) -> bool:
    """Whether a service's error means that the caller may not ask."""
    return find_code(error) in _DENIED


def explain_refusal(error: ClientError) -> str:
    """Why a service gave no answer, in a few words."""
    if is_denied(error):
        return f"AccessDenied on {ACTIONS.get(error.operation_name, error.operation_name)}"
    return f"{error.operation_name}: {find_code(error)}: {error.response.get('Error', {}).get('Message', '')}"
