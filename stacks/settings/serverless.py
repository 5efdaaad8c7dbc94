"""The settings of serverless endpoints."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.section import NOTHING, Allowed, Change, Section, Setting

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html
_MOST_CONCURRENCY = 200
_NEXT_UPDATE = Change("the next execution updates the endpoint; its first requests then wait for a start")


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
