"""How many rows a division put where, and what it could not go by."""

from dataclasses import dataclass

TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True, kw_only=True)
class Division:
    """How a list or a manifest was divided.

    Args:
        train: Training rows.
        validation: Rows held out for validation.
        test: Rows held out for a last test.
        ungrouped: Rows in whose path or source the pattern to group by found nothing; each is on its own.
        unlabelled: Rows without the label to stratify by; they are a stratum of their own.
    """

    train: int
    validation: int
    test: int = 0
    ungrouped: int = 0
    unlabelled: int = 0
