"""The settings of what starts executions of a workload by itself."""

from typing import Annotated, Final

from pydantic import StringConstraints

from stacks.settings.section import IN_PLACE, Allowed, Section, Setting

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
_RATE: Final = r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,3}) (minutes|hours|days))\)"
_CRON: Final = r"cron\([^ ()]+( [^ ()]+){5}\)"


class StartSettings(Section):
    """What starts executions beside people: time, and new data."""

    schedule: Annotated[
        Annotated[str, StringConstraints(pattern=rf"^({_RATE}|{_CRON})$")] | None,
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
