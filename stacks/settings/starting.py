"""The settings of what starts executions of a workload by itself."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

from headrace.schedules import parse_schedule
from stacks.settings.section import IN_PLACE, Allowed, Section, Setting


def _check_schedule(text: str) -> str:
    schedule = parse_schedule(text)
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    if text.startswith("at("):
        raise ValueError("a rule of EventBridge repeats; use rate(…) or cron(…)")
    if not schedule.next_after(datetime.now(UTC)):
        raise ValueError("its last time is past; name another year, or * for every year")
    return text


class StartSettings(Section):
    """What starts executions beside people: time, and new data."""

    schedule: Annotated[
        Annotated[str, AfterValidator(_check_schedule)] | None,
        Allowed("text such as rate(7 days) or cron(0 3 ? * MON *), in UTC, or null"),
        Setting("when executions start by themselves; null for never", cost="that of an execution", change=IN_PLACE),
    ] = None
    on_new_data: Annotated[
        bool,
        Setting(
            "whether an execution starts when `_SUCCESS` or an object that ends in `.manifest` is written below the "
            "workload's prefix of the raw bucket",
            cost="that of an execution; the bucket's events nothing",
            change=IN_PLACE,
        ),
    ] = False

    @property
    def is_on(self) -> bool:
        """Whether anything starts by itself."""
        return self.schedule is not None or self.on_new_data
