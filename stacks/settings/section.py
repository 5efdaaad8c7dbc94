"""What every section of the settings is made of, and what is known of each setting beside its type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

# CloudWatch Logs accepts these retention periods and no others:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_YEARS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, *_YEARS)


@dataclass(frozen=True)
class Allowed:
    """What a setting may be, in words, where its type and its bounds do not say it."""

    text: str


@dataclass(frozen=True)
class Change:
    """What deploying another value does to a living environment.

    Args:
        text: It in words, for the documentation.
        loses: The CloudFormation types of what is replaced or removed, of those that hold something or have an address.
        move: How to move to another value, where no order of deployments changes it on a living environment.
    """

    text: str
    loses: tuple[str, ...] = ()
    move: str = ""


@dataclass(frozen=True)
class Setting:
    """What to know of a setting before changing it; stands beside its type.

    Args:
        means: What it decides.
        cost: What it costs, standing or per use, in US dollars.
        change: What deploying another value does.
    """

    means: str
    cost: str
    change: Change


NOTHING: Final = "nothing"
IN_PLACE: Final = Change("updated in place")
NO_EFFECT: Final = Change("nothing that is deployed changes")
NEXT_EXECUTION: Final = Change("from the next execution on")


def _check_retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise ValueError(f"CloudWatch Logs keeps logs for one of {', '.join(map(str, LOG_RETENTION_DAYS))} days")
    return days


Days = Annotated[int, Field(ge=1, le=3650)]
# Where alarms on endpoints draw the line.
ErrorPercent = Annotated[Annotated[float, Field(ge=0, lt=100)] | None, Allowed("a number from 0 to below 100, or null")]
LatencyMilliseconds = Annotated[
    Annotated[int, Field(ge=1, le=60_000)] | None, Allowed("a whole number from 1 to 60000, or null")
]
LogDays = Annotated[
    int,
    AfterValidator(_check_retention),
    Allowed(f"one of {', '.join(map(str, LOG_RETENTION_DAYS))}"),
]


class Section(BaseModel):
    """Settings that cannot be changed, with no keys but the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, values: Any) -> Any:
        """A key of ours that is null has its default, as if it were left out."""
        if not isinstance(values, Mapping):
            return values
        return {key: value for key, value in values.items() if value is not None or key not in cls.model_fields}
