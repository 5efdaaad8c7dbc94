"""How many iterations of a distributed Map state may fail."""

from dataclasses import dataclass

from headrace.local.engine.asl.failures import TOO_MANY_FAILED, StateFailedError


@dataclass
class Tolerance:
    """Counts the iterations that failed, and says when they are too many.

    Attributes:
        total: How many iterations there are.
        most: How many of them may fail.
        most_percent: What share of them may fail.
        failed: How many have.
        is_exceeded: Whether these are too many.
    """

    total: int
    most: float | None
    most_percent: float | None
    failed: int = 0
    is_exceeded: bool = False

    def count(self, failure: StateFailedError) -> None:
        """Count one that failed.

        Raises:
            StateFailedError: If more have failed than may.
        """
        self.failed += 1
        beyond_share = self.most_percent is not None and self.failed * 100 > self.most_percent * self.total
        beyond_count = self.most is not None and self.failed > self.most
        if beyond_share or beyond_count or (self.most is None and self.most_percent is None):
            self.is_exceeded = True
            cause = "The specified tolerated failure threshold was exceeded"
            raise StateFailedError(TOO_MANY_FAILED, f"{cause}; the last failure was {failure.error}: {failure.cause}")
