"""What the environment says, read once at start."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from containers.shared.server_settings import ServerSettings, SettingsError, read_server_settings

from . import contract


@dataclass(frozen=True, kw_only=True)
class Settings(ServerSettings):
    """Where the model is, how to serve it and what to write about it."""

    access_log: str


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the environment, with the container's defaults."""
    return Settings(
        **vars(read_server_settings(environment)),
        access_log=read_choice(
            environment, contract.ACCESS_LOG_VARIABLE, (contract.ACCESS_LOG_SUMMARY, contract.ACCESS_LOG_EVERY)
        ),
    )


def read_choice(environment: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of the choices, the first unless the environment says otherwise."""
    text = environment.get(name, choices[0])
    if text not in choices:
        raise SettingsError(f"environment variable {name}: {text!r} is not one of {', '.join(choices)}")
    return text
