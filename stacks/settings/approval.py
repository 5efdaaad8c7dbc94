"""The settings of who approves a version of a model before it is served."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.section import NEXT_EXECUTION, NOTHING, Section, Setting


class ApprovalSettings(Section):
    """The approval: with `auto`, every version that passes the gate is approved as soon as it is made."""

    mode: Annotated[
        Literal["auto", "human"],
        Setting(
            "who approves a version: the execution that made it, or a person, until when it waits and nothing changes",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = "auto"
    expires_days: Annotated[
        int,
        Field(ge=0, le=3650),
        Setting(
            "how old a version may be when a person approves it, unless it has served before; 0 for any age",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = 30
