"""The settings of what becomes of alarms."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from stacks.settings.section import (
    IN_PLACE,
    NOTHING,
    Allowed,
    Change,
    ErrorPercent,
    LatencyMilliseconds,
    Section,
    Setting,
)


class EndpointAlarmSettings(Section):
    """Alarms that say how each workload's endpoint does, and where they draw the line."""

    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    idle_days: Annotated[
        Annotated[int, Field(ge=1, le=7)] | None,
        Allowed("a whole number from 1 to 7, or null"),
        Setting(
            "after how many days without a call an endpoint with machines is reported, with what it costs a month; "
            "null for no alarm",
            cost="0.20 a month for each workload",
            change=IN_PLACE,
        ),
    ] = None
    error_percent: Annotated[
        ErrorPercent,
        Setting(
            "the share of requests within five minutes that may be answered with a 5xx status; null for no alarm",
            cost="0.20 a month for each workload",
            change=IN_PLACE,
        ),
    ] = None
    latency_milliseconds: Annotated[
        LatencyMilliseconds,
        Setting(
            "the model's latency that more than 1 % of the requests may not exceed for 15 minutes; null for no alarm",
            cost="0.10 a month for each workload",
            change=IN_PLACE,
        ),
    ] = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if not any((self.idle_days, self.error_percent is not None, self.latency_milliseconds)):
            raise ValueError("none of the alarms is on; set idle_days, error_percent or latency_milliseconds")
        return self


class FileSystemAlarmSettings(Section):
    """Alarms that say how the file systems do, as far as there are any, and where they draw the line."""

    efs_io_percent: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        Allowed("a whole number from 1 to 100, or null"),
        Setting(
            "the share of the operations a second that EFS takes at most, above which it is slow for everybody; null "
            "for no alarm",
            cost="0.10 a month",
            change=IN_PLACE,
        ),
    ] = None
    fsx_free_percent: Annotated[
        Annotated[int, Field(ge=1, le=99)] | None,
        Allowed("a whole number from 1 to 99, or null"),
        Setting(
            "the share of FSx for Lustre that must be free: what it loads from the bucket stays until somebody "
            "releases it, and a full one fails jobs; null for no alarm",
            cost="0.10 a month",
            change=IN_PLACE,
        ),
    ] = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if not any((self.efs_io_percent, self.fsx_free_percent)):
            raise ValueError("none of the alarms is on; set efs_io_percent or fsx_free_percent")
        return self


class FrontDoorAlarmSettings(Section):
    """Alarms that say how the API in front of endpoints does, where there is one, and where they draw the line."""

    error_percent: Annotated[
        ErrorPercent,
        Setting(
            "the share of requests within five minutes that it may answer with a 5xx status; null for no alarm",
            cost="0.10 a month",
            change=IN_PLACE,
        ),
    ] = None
    throttled: Annotated[
        Annotated[int, Field(ge=0, le=1_000_000)] | None,
        Allowed("a whole number from 0 to 1000000, or null"),
        Setting(
            "how many requests within five minutes it may refuse with status 429; null for no alarm",
            cost="0.10 a month, and 0.30 for its metric",
            change=IN_PLACE,
        ),
    ] = None
    latency_milliseconds: Annotated[
        LatencyMilliseconds,
        Setting(
            "what more than 1 % of the requests may not take for 15 minutes, from call to answer; null for no alarm",
            cost="0.10 a month",
            change=IN_PLACE,
        ),
    ] = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.error_percent is None and self.throttled is None and not self.latency_milliseconds:
            raise ValueError("none of the alarms is on; set error_percent, throttled or latency_milliseconds")
        return self


class BudgetSettings(Section):
    """What an environment may cost a month."""

    monthly_usd: Annotated[
        int,
        Field(ge=1, le=10_000_000),
        Setting(
            "the US dollars of which the topic is told when 80 % are spent, when all are, and when AWS expects that "
            "they will be",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ]


class AlarmSettings(Section):
    """A topic that every alarm publishes to."""

    email: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=320)] | None,
        Allowed("an address, or null"),
        Setting(
            "the address that is subscribed to the topic; null for none, until you subscribe one yourself",
            cost=NOTHING,
            change=Change(
                "the new address must confirm the subscription that AWS sends it", loses=("AWS::SNS::Subscription",)
            ),
        ),
    ] = None
    endpoints: Annotated[
        EndpointAlarmSettings | None,
        Setting(
            "alarms on each workload's endpoint: calls, errors, latency; null for none",
            cost="as the alarms that are on",
            change=Change("null removes the alarms"),
        ),
    ] = None
    failures: Annotated[
        bool,
        Setting(
            "notices of training, processing and transform jobs that fail, with their reason, and of endpoints that "
            "fail, go out of service or are deleted",
            cost=NOTHING,
            change=Change("false removes the rules and their roles", loses=("AWS::Events::Rule",)),
        ),
    ] = False
    file_systems: Annotated[
        FileSystemAlarmSettings | None,
        Setting(
            "alarms on EFS and FSx for Lustre: operations, free capacity; null for none",
            cost="as the alarms that are on",
            change=Change("null removes the alarms"),
        ),
    ] = None
    front_door: Annotated[
        FrontDoorAlarmSettings | None,
        Setting(
            "alarms on the API in front of endpoints: errors, refused requests, latency; null for none",
            cost="as the alarms that are on",
            change=Change("null removes the alarms"),
        ),
    ] = None
    budget: Annotated[
        BudgetSettings | None,
        Setting(
            "a budget for what carries the `tags` of the environment, or for the account where it has none; null for "
            "no budget",
            cost=NOTHING,
            change=Change("null removes the budget"),
        ),
    ] = None
    dashboard: Annotated[
        bool,
        Setting(
            "a page of CloudWatch with alarms, executions, endpoints, jobs, the normalizer and file systems",
            cost="3 a month",
            change=Change("false removes the page"),
        ),
    ] = False
