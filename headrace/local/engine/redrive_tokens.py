"""The client tokens of an execution's redrives: a request that comes again gets its answer again."""

from datetime import datetime, timedelta
from typing import Final

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
_MOST: Final = 10
_VALID: Final = timedelta(minutes=15)


class RedriveTokens:
    """The tokens by which one execution was redriven, the last ten of them, each for a quarter of an hour."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[datetime, str]] = {}

    def find(self, token: str | None, now: datetime) -> str | None:
        """What was answered to a token, if it was used and is still valid."""
        used, answer = self._answers.get(token or "", (None, None))
        return answer if used and now - used < _VALID else None

    def note(self, token: str | None, now: datetime, answer: str) -> None:
        """Note what is answered to a token."""
        if not token:
            return
        self._answers.pop(token, None)
        self._answers[token] = (now, answer)
        while len(self._answers) > _MOST:
            self._answers.pop(next(iter(self._answers)))
