"""A check, from the lines of its files to what it has found; standard library only."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from headrace.drift.captured import CapturedRequest, read_captured
from headrace.drift.comparison import DEFAULT_MIN_ROWS, DEFAULT_THRESHOLD, compare
from headrace.drift.profiles import Profile
from headrace.drift.report import Check
from headrace.drift.truth import judge, read_truths

_TITLE: Final = "Requests against training data"


@dataclass(frozen=True)
class Window:
    """When a request must have been answered to count.

    Args:
        since: The first moment, with its zone.
        until: The first one that no longer counts.
    """

    since: datetime
    until: datetime

    def holds(self, request: CapturedRequest) -> bool:
        """Whether a request was answered in it; one that does not say when was not."""
        try:
            moment = datetime.fromisoformat(request.time)
        except ValueError:
            return False
        return self.since <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) < self.until


def check_requests(
    profile: Profile,
    captured: Iterable[bytes],
    truth: Iterable[bytes] | None = None,
    *,
    window: Window | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    min_rows: int = DEFAULT_MIN_ROWS,
    title: str = _TITLE,
) -> Check:
    """Compare what an endpoint was asked with what its model was trained on.

    Args:
        profile: What the training data look like.
        captured: The lines of files of captured requests.
        truth: The lines of files of ground truth; None where nothing is known of it.
        window: When requests count; None for always.
        threshold: Above which index a column has drifted.
        min_rows: Below how many rows nothing is said.
        title: What is checked, in a few words.
    """
    found = read_captured(captured, profile, window.holds if window else None)
    names = {request.id for request in found.requests}
    truths = read_truths(truth, names) if truth is not None else None
    rows = found.rows
    return Check(
        title=title,
        threshold=threshold,
        rows=len(rows),
        baseline_rows=profile.rows,
        changes=compare(profile, rows, threshold=threshold, min_rows=min_rows),
        quality=judge(found.requests, truths) if truths else None,
        unread=Counter(found.unread) + Counter(truths.unread if truths else {}),
    )
