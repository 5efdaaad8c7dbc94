"""What settings of times share."""

from typing import Annotated

from pydantic import AfterValidator

from headrace.schedules import list_timezones
from stacks.settings.section import Allowed


def _check_timezone(name: str) -> str:
    if name not in list_timezones():
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin")
    return name


Timezone = Annotated[str, AfterValidator(_check_timezone), Allowed("the name of a time zone, such as Europe/Berlin")]
