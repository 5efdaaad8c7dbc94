"""The function's settings, read once when it starts."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from headrace.normalizer.contract import DEFAULT_TRANSFORMATION

from .contract import Variable
from .s3 import Place
from .signing import Credentials

# Where AWS's tools look for a server that stands in for AWS's, the narrower name first.
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class EnvironmentVariableError(Exception):
    """An environment variable that the infrastructure has not set as agreed."""


class Environment(NamedTuple):
    """What the infrastructure and Lambda say to the function.

    Args:
        source: The access point that photographs are read through.
        cache_bucket: Where normalized images are kept.
        keeps_all: Whether every normalized image is kept, or only one that is too large for an answer.
        place: Where S3 is.
        transformation: What the function does with what it reads.
        credentials: The role's. Reading them once is enough: they outlive the process, which Lambda replaces before.
    """

    source: str
    cache_bucket: str
    keeps_all: bool
    place: Place
    transformation: str
    credentials: Credentials

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
            place=_read_place(variables),
            transformation=variables.get(Variable.TRANSFORMATION, DEFAULT_TRANSFORMATION),
            credentials=_read_credentials(variables),
        )


# What these two read is set by Lambda: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
def _read_credentials(variables: Mapping[str, str]) -> Credentials:
    return Credentials(
        key_id=_read(variables, "AWS_ACCESS_KEY_ID"),
        secret=_read(variables, "AWS_SECRET_ACCESS_KEY"),
        token=variables.get("AWS_SESSION_TOKEN") or None,
    )


def _read_place(variables: Mapping[str, str]) -> Place:
    endpoint = next((variables[name] for name in _ENDPOINTS if variables.get(name)), None)
    return Place(
        region=_read(variables, "AWS_REGION"),
        dns_suffix=_read(variables, Variable.DNS_SUFFIX),
        endpoint=endpoint and endpoint.rstrip("/"),
    )


def _read(variables: Mapping[str, str], name: str) -> str:
    if not variables.get(name):
        raise EnvironmentVariableError(f"{name} is not set")
    return variables[name]
