"""What the environment says, read once at start."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import contract


class SettingsError(Exception):
    """An environment variable or argument that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the model is and how to serve it."""

    root: Path
    host: str
    port: int
    workers: int
    access_log: str


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the environment, with the container's defaults."""
    return Settings(
        root=Path(environment.get(contract.ML_ROOT_VARIABLE, contract.ML_ROOT)),
        host=environment.get(contract.HOST_VARIABLE, contract.DEFAULT_HOST),
        port=read_whole(environment, contract.PORT_VARIABLE, default=contract.DEFAULT_PORT, highest=65535),
        workers=read_whole(environment, contract.WORKERS_VARIABLE, default=count_cpus(), highest=1024),
        access_log=read_choice(
            environment, contract.ACCESS_LOG_VARIABLE, (contract.ACCESS_LOG_SUMMARY, contract.ACCESS_LOG_EVERY)
        ),
    )


def read_whole(environment: Mapping[str, str], name: str, *, default: int, highest: int) -> int:
    """A whole number from 1 to `highest`."""
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and 1 <= int(text) <= highest):
        raise SettingsError(f"environment variable {name}: {text!r} is not a whole number from 1 to {highest}")
    return int(text)


def read_choice(environment: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of the choices, the first unless the environment says otherwise."""
    text = environment.get(name, choices[0])
    if text not in choices:
        raise SettingsError(f"environment variable {name}: {text!r} is not one of {', '.join(choices)}")
    return text


def count_cpus() -> int:
    """The CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
