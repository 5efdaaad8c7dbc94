"""The function's settings, read once when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from .contract import Variable


class EnvironmentVariableError(Exception):
    """An environment variable that the infrastructure has not set as agreed."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the infrastructure tells the function.

    Args:
        source: The access point that images are read through.
        cache_bucket: Where pictures are kept.
        keeps_all: Whether every picture is kept, or only one that is too large for an answer.
    """

    source: str
    cache_bucket: str
    keeps_all: bool

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Self:
        """The settings in the environment variables."""
        keeps_all = _read(variables, Variable.KEEPS_ALL)
        if keeps_all not in {"true", "false"}:
            raise EnvironmentVariableError(f"{Variable.KEEPS_ALL} is {keeps_all!r}; it must be 'true' or 'false'")
        return cls(
            source=_read(variables, Variable.SOURCE),
            cache_bucket=_read(variables, Variable.CACHE_BUCKET),
            keeps_all=keeps_all == "true",
        )


def _read(variables: Mapping[str, str], name: Variable) -> str:
    if not variables.get(name):
        raise EnvironmentVariableError(f"{name} is not set")
    return variables[name]
