"""How many rows a division put where, and what it could not go by."""

from dataclasses import dataclass
from typing import Final

TRAIN, VALIDATION, TEST = range(3)
DEFAULT_VALIDATION_RATIO: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Division:
    """How a list or a manifest was divided.

    Args:
        train: Training rows.
        validation: Rows held out for validation.
        test: Rows held out for a last test.
        ungrouped: Rows whose path or source the grouping pattern does not match; each forms its own group.
        unlabelled: Rows without the label to stratify by; they form their own stratum.
    """

    train: int
    validation: int
    test: int = 0
    ungrouped: int = 0
    unlabelled: int = 0


def find_mistake(validation: float, test: float = 0.0) -> str | None:
    """What is wrong with the ratios to hold out, or nothing."""
    if not 0 < validation < 1:
        return f"the validation ratio is {validation}, expected a number between 0 and 1"
    if not 0 <= test < 1 or validation + test >= 1:
        return f"validation ({validation}) and test ({test}) leave nothing to train with"
    return None
