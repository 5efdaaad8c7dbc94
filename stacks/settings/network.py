"""The settings of the network."""

import ipaddress
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from stacks.settings.section import LogDays, Section

# Where a notebook without internet access reaches SageMaker, to stop itself among other things.
SAGEMAKER_API_ENDPOINT = "sagemaker.api"


def _check_cidr(cidr: str) -> str:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"not an IPv4 network: {error}") from None
    if not 16 <= network.prefixlen <= 24:
        raise ValueError("a VPC for training needs a network from /16 to /24")
    return cidr


class ExistingNetworkSettings(Section):
    """A VPC that is there already, by ids: nothing is looked up."""

    vpc_id: Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    cidr: Annotated[str, AfterValidator(_check_cidr)]
    availability_zones: Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]
    subnet_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]
    route_table_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if not len(self.availability_zones) == len(self.subnet_ids) == len(self.route_table_ids):
            raise ValueError("availability_zones, subnet_ids and route_table_ids need one entry per subnet each")
        return self


class NetworkSettings(Section):
    """The VPC that file systems and training jobs meet in."""

    availability_zones: Annotated[int, Field(ge=2, le=3)]
    cidr: Annotated[str, AfterValidator(_check_cidr)]
    nat_gateways: Annotated[int, Field(ge=0, le=3)]
    interface_endpoints: Annotated[tuple[str, ...], Field(strict=False)]
    flow_log_days: LogDays
    existing: ExistingNetworkSettings | None = None

    @model_validator(mode="after")
    def _check_existing(self) -> Self:
        if self.existing and (self.nat_gateways or self.interface_endpoints):
            raise ValueError(
                "nat_gateways and interface_endpoints belong to the existing network; leave them at 0 and []"
            )
        return self
