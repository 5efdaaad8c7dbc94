"""The settings of serverless endpoints."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.section import NOTHING, Allowed, Change, Section, Setting

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html
_MOST_CONCURRENCY = 200
_NEXT_UPDATE = Change("the next execution updates the endpoint; its first requests then wait for a start")

# What endpoints of machines have, and serverless ones do not.
_OF_MACHINES = ("instance_type", "instance_count", "metrics_seconds")


class ServerlessSettings(Section):
    """An endpoint that starts when it is asked, and costs nothing while it is not asked."""

    memory_mb: Annotated[
        Literal[1024, 2048, 3072, 4096, 5120, 6144],
        Setting(
            "the memory of each container; its processors grow with it",
            cost="0.00002 per GB and second in which a request is answered",
            change=_NEXT_UPDATE,
        ),
    ] = 2048
    max_concurrency: Annotated[
        int,
        Field(ge=1, le=_MOST_CONCURRENCY),
        Setting(
            "how many requests are answered at once; those beyond are refused with status 429",
            cost=NOTHING,
            change=_NEXT_UPDATE,
        ),
    ] = 5
    provisioned_concurrency: Annotated[
        Annotated[int, Field(ge=1, le=_MOST_CONCURRENCY)] | None,
        Allowed(f"a whole number from 1 to {_MOST_CONCURRENCY}, or null"),
        Setting(
            "how many containers are kept warm, so that as many requests wait for no start; null for none",
            cost="by the second, used or not, until the endpoint is deleted",
            change=_NEXT_UPDATE,
        ),
    ] = None

    @model_validator(mode="after")
    def _check_concurrency(self) -> Self:
        if (self.provisioned_concurrency or 0) > self.max_concurrency:
            raise ValueError(
                f"provisioned_concurrency: found {self.provisioned_concurrency}, which is above max_concurrency "
                f"{self.max_concurrency}; keep fewer warm, or answer more at once"
            )
        return self


def list_serverless_mistakes(endpoint: Any) -> Iterator[str]:
    """What the settings of a serverless endpoint ask for and serverless endpoints do not have.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    for key in _OF_MACHINES:
        if (found := getattr(endpoint, key)) != type(endpoint).model_fields[key].default:
            yield f"{key}: found {found}, but a serverless endpoint has no machines; leave {key} or serverless out"
    if endpoint.update.first_percent:
        yield (
            f"update.traffic: {endpoint.update.traffic} moves requests by shares of the machines, and a serverless "
            "endpoint has none; set it to all_at_once, or leave serverless out"
        )
    if endpoint.update.alarms and endpoint.update.alarms.container_errors:
        yield (
            "update.alarms.container_errors: SageMaker collects `/metrics` from machines, and a serverless endpoint "
            "has none; set it to false, or leave serverless out"
        )
