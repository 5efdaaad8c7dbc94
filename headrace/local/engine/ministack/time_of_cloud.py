"""The clock of the cloud in MiniStack, which reads that of this machine in every one of its services.

What signs requests, and what says how long an address, a key or a session is good for, goes by the clock of this
machine as its clients do; so STS, IAM, KMS and S3's checks of addresses keep it.
"""

import importlib
import time
from datetime import UTC, datetime, tzinfo
from time import struct_time
from types import ModuleType
from typing import Any, Final

from headrace.local.clock import CLOCK

# The modules, and the names in them by which they read the time.
READERS: Final = {
    "ministack.core.responses": ("datetime",),
    "ministack.services.cloudwatch": ("datetime", "time"),
    "ministack.services.cloudwatch_logs": ("datetime", "time"),
    "ministack.services.ecr": ("time",),
    "ministack.services.eventbridge": ("datetime", "time"),
    "ministack.services.lambda_svc": ("datetime", "time"),
    "ministack.services.scheduler": ("datetime", "time"),
    "ministack.services.sns": ("time",),
    "ministack.services.sqs": ("time",),
    "ministack.services.stepfunctions": ("datetime", "time"),
}


class _Dates(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class CloudDatetime(datetime, metaclass=_Dates):
    """`datetime.datetime` whose present is the cloud's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """The cloud's time."""
        return datetime.fromtimestamp(CLOCK.time(), tz)

    @classmethod
    def utcnow(cls) -> datetime:  # type: ignore[override]
        """The cloud's time in UTC, without saying so."""
        return datetime.fromtimestamp(CLOCK.time(), UTC).replace(tzinfo=None)


class CloudTime(ModuleType):
    """The module `time` whose `time` and `gmtime` are the cloud's."""

    def __init__(self) -> None:
        super().__init__("time")

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        """The cloud's time, in seconds since 1970."""
        return CLOCK.time()

    def gmtime(self, seconds: float | None = None) -> struct_time:
        """A time, or else the cloud's, by its parts."""
        return time.gmtime(CLOCK.time() if seconds is None else seconds)


def install_time() -> None:
    """Teach MiniStack the time of the cloud."""
    stand_ins = {"datetime": CloudDatetime, "time": CloudTime()}
    for name, readers in READERS.items():
        module = importlib.import_module(name)
        for reader in readers:
            setattr(module, reader, stand_ins[reader])
