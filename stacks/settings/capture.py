"""The settings of data capture: what is kept of an endpoint's requests and answers."""

from typing import Annotated, Final

from pydantic import Field

from stacks.settings.section import IN_PLACE, Change, Days, Section, Setting

CAPTURED_DAYS: Final = 90


class CaptureSettings(Section):
    """Requests and answers of the endpoint, kept in the work bucket."""

    percent: Annotated[
        int,
        Field(ge=1, le=100),
        Setting(
            "the share of the requests that is kept",
            cost="0.023 per GB and month of what is kept, and 0.005 per 1,000 files",
            change=Change("the next execution updates the endpoint, which serves all the while"),
        ),
    ] = 100
    days: Annotated[
        Days,
        Setting(
            "how long it is kept; the longest of all workloads counts",
            cost="0.023 per GB and month of what is kept",
            change=IN_PLACE,
        ),
    ] = CAPTURED_DAYS
