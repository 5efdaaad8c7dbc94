"""What the environment says to a server, read once at start."""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.shared import sagemaker
from headrace.cpus import count_cpus

HOST_VARIABLE = "HEADRACE_BIND_HOST"
DEFAULT_HOST = "0.0.0.0"  # noqa: S104 - SageMaker calls the container from outside of it
# One worker per CPU unless this says otherwise.
WORKERS_VARIABLE = "HEADRACE_SERVE_WORKERS"
# What is written about requests that went well: a summary every few seconds, or a line for every one.
ACCESS_LOG_VARIABLE = "HEADRACE_ACCESS_LOG"
ACCESS_LOG_SUMMARY = "summary"
ACCESS_LOG_EVERY = "every"
VARIABLES = (sagemaker.ML_ROOT_VARIABLE, HOST_VARIABLE, sagemaker.PORT_VARIABLE, WORKERS_VARIABLE, ACCESS_LOG_VARIABLE)
# So alike that it cannot be another program's name.
ALMOST = 0.9


class ServerSettingsError(Exception):
    """An environment variable or argument that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where the model is, how to serve it and what to write about it."""

    root: Path
    host: str
    port: int
    workers: int
    access_log: str
    is_batch: bool = False


def read_server_settings(environment: Mapping[str, str] = os.environ) -> ServerSettings:
    """The settings in the environment, with the container's defaults."""
    check_names(environment)
    return ServerSettings(
        root=sagemaker.find_root(environment),
        host=environment.get(HOST_VARIABLE, DEFAULT_HOST),
        port=read_whole(environment, sagemaker.PORT_VARIABLE, default=sagemaker.DEFAULT_PORT, highest=65535),
        workers=read_whole(environment, WORKERS_VARIABLE, default=count_cpus(), highest=1024),
        access_log=read_choice(environment, ACCESS_LOG_VARIABLE, (ACCESS_LOG_SUMMARY, ACCESS_LOG_EVERY)),
        is_batch=environment.get(sagemaker.BATCH_VARIABLE, "").lower() == "true",
    )


def check_names(environment: Mapping[str, str]) -> None:
    """Refuse a variable that is only almost one of ours, and so would change nothing."""
    for name in environment.keys() - set(VARIABLES):
        meant = difflib.get_close_matches(name, VARIABLES, n=1, cutoff=ALMOST)
        if meant:
            raise ServerSettingsError(f"environment variable {name} is not known; did you mean {meant[0]}?")


def read_whole(environment: Mapping[str, str], name: str, *, default: int, highest: int) -> int:
    """A whole number from 1 to `highest`."""
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and 1 <= int(text) <= highest):
        raise ServerSettingsError(f"environment variable {name}: {text!r} is not a whole number from 1 to {highest}")
    return int(text)


def read_choice(environment: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of the choices, the first unless the environment says otherwise."""
    text = environment.get(name, choices[0])
    if text not in choices:
        raise ServerSettingsError(f"environment variable {name}: {text!r} is not one of {', '.join(choices)}")
    return text
