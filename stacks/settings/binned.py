"""The settings of preprocessing that puts the sales into ranges, for algorithms that tell classes apart."""

from typing import Annotated, Final

from pydantic import Field

from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import PreprocessingSettings

DEFAULT_BINS: Final = 4


class BinnedPreprocessingSettings(PreprocessingSettings):
    """The processing job of the sales, with labels and features in one file, as built-in algorithms read them."""

    bins: Annotated[
        int,
        Field(ge=0, le=100),
        Setting(
            "into how many equal ranges the sales are put, whose numbers are the labels; 0 for the sales themselves",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = DEFAULT_BINS


def refuse_one_range(bins: int) -> None:
    """Refuse a range that has every row in it.

    Raises:
        ValueError: If that is asked for.
    """
    if bins == 1:
        raise ValueError("preprocessing.bins: one range has every row in it; use 2 or more, or 0 for numbers")
