"""The settings of the network."""

import ipaddress
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from stacks.settings.mistakes import refuse_repeated
from stacks.settings.section import IN_PLACE, NO_EFFECT, NOTHING, Allowed, Change, LogDays, Section, Setting

# Where a notebook without internet access reaches SageMaker, to stop itself among other things.
SAGEMAKER_API_ENDPOINT = "sagemaker.api"


def _check_cidr(cidr: str) -> str:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"not an IPv4 network: {error}") from None
    if cidr != str(network):
        raise ValueError(f"AWS wants a network's length in bits; write {network}")
    if not 16 <= network.prefixlen <= 24:
        raise ValueError("a VPC for training needs a network from /16 to /24")
    return cidr


def _check_own_cidr(cidr: str) -> str:
    network = ipaddress.IPv4Network(cidr)
    for taken, why in _TAKEN.items():
        if network.overlaps(ipaddress.IPv4Network(taken)):
            raise ValueError(f"{taken} {why}; take a private network outside of it, such as 10.42.0.0/16")
    return cidr


def _check_zones(zones: int | tuple[str, ...]) -> int | tuple[str, ...]:
    if isinstance(zones, int):
        if zones not in (2, 3):
            raise ValueError("give the number 2 or 3, or the names of the zones")
        return zones
    for zone in zones:
        if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d[a-z]", zone):
            raise ValueError(f"'{zone}' is not the name of a zone, such as eu-central-1a")
        if zone[:-1] != zones[0][:-1]:
            raise ValueError(f"{zones[0]} and {zone} are zones of two Regions")
    refuse_repeated(zones)
    return zones


def _check_services(services: tuple[str, ...]) -> tuple[str, ...]:
    for service in services:
        if not re.fullmatch(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*", service):
            raise ValueError(f"'{service}' is not a service's name; write it as AWS does, such as 'sagemaker.api'")
        if service == "s3":
            raise ValueError("the network has a gateway to s3 already, at no cost; remove it")
    refuse_repeated(services)
    return services


# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_TAKEN = {
    "0.0.0.0/8": "is reserved",
    "127.0.0.0/8": "is reserved for loopback",
    "169.254.0.0/16": "is reserved for link-local addresses",
    "172.17.0.0/16": "is what SageMaker's instances use inside of themselves",
    "224.0.0.0/3": "is reserved for multicast and beyond",
}

Cidr = Annotated[str, AfterValidator(_check_cidr), Allowed("an IPv4 network from /16 to /24")]
Ids = Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]

_NEW_NETWORK = "make the network anew, see [moving to another network](changing.md#moving-to-another-network)"
_OTHER_NETWORK = Change(
    "everything in the network is replaced",
    loses=("AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC"),
    move=_NEW_NETWORK,
)


class ExistingNetworkSettings(Section):
    """A VPC that is there already, by ids: nothing is looked up."""

    vpc_id: Annotated[
        str,
        StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}$"),
        Setting(
            "the VPC",
            cost=NOTHING,
            change=Change(
                "everything of ours in the network is replaced; name the other VPC's subnets, too",
                loses=("AWS::EC2::SecurityGroup",),
                move=_NEW_NETWORK,
            ),
        ),
    ]
    cidr: Annotated[Cidr, Setting("its addresses", cost=NOTHING, change=NO_EFFECT)]
    availability_zones: Annotated[Ids, Setting("the zone of each subnet", cost=NOTHING, change=NO_EFFECT)]
    subnet_ids: Annotated[
        Ids,
        Setting(
            "the subnets; FSx for Lustre and the notebook are in the first",
            cost=NOTHING,
            change=Change(
                "file systems and the notebook move to the new subnets",
                loses=("AWS::FSx::FileSystem", "AWS::SageMaker::NotebookInstance"),
                move=_NEW_NETWORK,
            ),
        ),
    ]
    route_table_ids: Annotated[Ids, Setting("the route table of each subnet", cost=NOTHING, change=NO_EFFECT)]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if not len(self.availability_zones) == len(self.subnet_ids) == len(self.route_table_ids):
            raise ValueError("availability_zones, subnet_ids and route_table_ids need one entry per subnet each")
        return self


class NetworkSettings(Section):
    """The VPC that file systems and training jobs meet in."""

    availability_zones: Annotated[
        int | Annotated[tuple[str, ...], Field(min_length=2, max_length=3, strict=False)],
        AfterValidator(_check_zones),
        Allowed("2, 3 or a list of two or three names, such as eu-central-1a"),
        Setting(
            "over which zones its subnets spread, or over how many: then CloudFormation takes the first of those where "
            "the account has a default subnet, and there may be fewer",
            cost="nothing; an interface endpoint costs once per zone",
            change=Change(
                "the subnets get other addresses",
                loses=("AWS::EC2::Subnet", "AWS::FSx::FileSystem"),
                move=_NEW_NETWORK,
            ),
        ),
    ] = 2
    cidr: Annotated[
        Cidr,
        AfterValidator(_check_own_cidr),
        Allowed("not reserved by AWS; private addresses (RFC 1918) are best"),
        Setting("its addresses", cost=NOTHING, change=_OTHER_NETWORK),
    ] = "10.42.0.0/16"
    nat_gateways: Annotated[
        int,
        Field(ge=0, le=3),
        Setting(
            "how many gateways lead to the internet; with 0 the subnets are isolated",
            cost="about 33 a month each, and 0.045 per GB",
            change=Change("in place; the public subnets and their addresses come and go with it"),
        ),
    ] = 0
    interface_endpoints: Annotated[
        tuple[str, ...],
        Field(strict=False),
        AfterValidator(_check_services),
        Setting(
            "the AWS services that the subnets reach by private addresses, such as `sagemaker.api` and `logs`",
            cost="about 7.30 a month each and zone, and 0.01 per GB",
            change=Change("an endpoint that is added or removed comes or goes; nothing else"),
        ),
    ] = ()
    flow_log_days: Annotated[
        LogDays,
        Setting(
            "how long the record of the VPC's connections is kept",
            cost="0.50 per GB recorded, 0.03 per GB and month kept",
            change=IN_PLACE,
        ),
    ] = 7
    existing: Annotated[
        ExistingNetworkSettings | None,
        Setting(
            "an existing VPC that belongs to somebody else, instead of a new one",
            cost=NOTHING,
            change=Change(
                "everything in the network is recreated in the other VPC",
                loses=(
                    "AWS::Logs::LogGroup",
                    *_OTHER_NETWORK.loses,
                    "AWS::FSx::FileSystem",
                    "AWS::SageMaker::NotebookInstance",
                ),
                move=_NEW_NETWORK,
            ),
        ),
    ] = None

    @property
    def zone_names(self) -> tuple[str, ...]:
        """The zones whose names are given."""
        if self.existing:
            return self.existing.availability_zones
        return () if isinstance(self.availability_zones, int) else self.availability_zones

    @model_validator(mode="after")
    def _check_existing(self) -> Self:
        if self.existing and (self.nat_gateways or self.interface_endpoints):
            raise ValueError(
                "nat_gateways and interface_endpoints belong to the existing network; leave them at 0 and []"
            )
        return self
