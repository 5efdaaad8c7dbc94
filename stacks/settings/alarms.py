"""The settings of what becomes of alarms."""

from typing import Annotated

from pydantic import StringConstraints

from stacks.settings.section import NOTHING, Allowed, Change, Section, Setting


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
