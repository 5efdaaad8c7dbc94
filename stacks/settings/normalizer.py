"""The settings of the image normalizer and of those who read through it."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from containers.normalizer import contract as image_preprocessing
from headrace.normalizer.errors import BadOptionError
from headrace.normalizer.options import parse_options
from stacks.settings.jobs import ProcessingSettings
from stacks.settings.section import LogDays, Section


def _check_options(options: Mapping[str, str]) -> Mapping[str, str]:
    try:
        parse_options(options)
    except BadOptionError as error:
        raise ValueError(error.reason) from None
    return options


Options = Annotated[Mapping[str, str], AfterValidator(_check_options)]


class ConsumerSettings(Section):
    """Somebody who reads pictures: what they get when a request through Object Lambda names no options."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=30)]
    options: Options


class BulkSettings(ProcessingSettings):
    """The batch door: the machine of its processing job, and what the job puts up with."""

    max_refused: Annotated[int, Field(ge=0, le=10**9)]
    connections: Annotated[int, Field(ge=1, le=image_preprocessing.MOST_CONNECTIONS)]


class NormalizerSettings(Section):
    """The image normalizer: which doors it has, for whom, and its limits."""

    function_url: bool
    object_lambda: bool
    bulk: BulkSettings | None = None
    consumers: Annotated[tuple[ConsumerSettings, ...], Field(strict=False)]
    cache: bool
    # Less would cut off the function's own limits on reading; Object Lambda waits for 60.
    timeout_seconds: Annotated[int, Field(ge=30, le=60)]
    reserved_concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    log_retention_days: LogDays

    @property
    def has_doors(self) -> bool:
        """Whether there is any way in."""
        return self.answers_requests or self.bulk is not None

    @property
    def answers_requests(self) -> bool:
        """Whether there is a way in for single images."""
        return self.function_url or self.object_lambda

    @model_validator(mode="after")
    def _check_consumers(self) -> Self:
        names = [consumer.name for consumer in self.consumers]
        if len(set(names)) < len(names):
            raise ValueError("every consumer needs a name of its own")
        if self.object_lambda and not names:
            raise ValueError("object_lambda gives each consumer a door, and there is no consumer")
        return self
