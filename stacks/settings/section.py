"""What every section of the settings is made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# CloudWatch Logs accepts these retention periods and no others:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_YEARS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, *_YEARS)


def _check_retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise ValueError(f"CloudWatch Logs keeps logs for one of {', '.join(map(str, LOG_RETENTION_DAYS))} days")
    return days


Days = Annotated[int, Field(ge=1, le=3650)]
LogDays = Annotated[int, AfterValidator(_check_retention)]


class Section(BaseModel):
    """Settings that cannot be changed, with no keys but the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
