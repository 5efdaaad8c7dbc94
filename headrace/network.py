"""What a place in a VPC reaches, worked out from routes, security groups and endpoints; standard library only.

SageMaker reaches S3 from the subnets that a job names (https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html),
and function URLs are on the public internet only (https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html).
What cannot be judged, such as the policies of endpoints, network ACLs and the resolution of names, is taken
to be in order.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

EVERYWHERE: Final = "0.0.0.0/0"
HTTPS: Final = 443
NFS: Final = 2049
# https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html: 988 and 1018 to 1023.
LUSTRE: Final = (988, 1018, 1023)
EFS: Final = "EFS"
FSX_LUSTRE: Final = "FSxLustre"

_BROADCAST: Final = "255.255.255.255/32"
_PREFIX_LIST: Final = "pl-"


@dataclass(frozen=True)
class SecurityGroupRule:
    """One rule of a security group.

    Args:
        other: The other side: a group, a range of addresses or a prefix list.
        first_port: The first of the ports.
        last_port: The last of them.
    """

    other: str
    first_port: int
    last_port: int

    def opens(self, port: int) -> bool:
        """Whether a port is one of them."""
        return self.first_port <= port <= self.last_port

    @property
    def may_lead_within(self) -> bool:
        """Whether the other side is a range that may hold addresses of the VPC."""
        block = self._parse_block()
        return block is not None and not block.is_loopback and str(block) != _BROADCAST

    @property
    def may_lead_outside(self) -> bool:
        """Whether the other side may hold addresses of AWS's services."""
        block = self._parse_block()
        return self.other.startswith(_PREFIX_LIST) or (block is not None and not block.is_private)

    def _parse_block(self) -> ipaddress.IPv4Network | None:
        try:
            return ipaddress.IPv4Network(self.other)
        except ValueError:
            return None


@dataclass(frozen=True)
class Group:
    """A security group's rules."""

    ingress: frozenset[SecurityGroupRule] = frozenset()
    egress: frozenset[SecurityGroupRule] = frozenset()


@dataclass(frozen=True)
class VpcAttachment:
    """Where a job runs: in any of some subnets, with some security groups."""

    subnets: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class FileSystem:
    """A file system as the network sees it.

    Args:
        id: What messages call it.
        kind: EFS or FSxLustre.
        groups: The security groups of its mount targets or servers; none if it has no mount target in the VPC.
    """

    id: str
    kind: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """A VPC.

    Args:
        groups: Its security groups.
        tables: The route table of each subnet.
        leading_out: The route tables whose default route leads out for those without a public address, as jobs are.
        leading_to_s3: The route tables of S3's gateway endpoint.
        has_s3_interface: Whether S3 has an interface endpoint, too.
    """

    groups: Mapping[str, Group]
    tables: Mapping[str, str] = field(default_factory=dict)
    leading_out: frozenset[str] = frozenset()
    leading_to_s3: frozenset[str] = frozenset()
    has_s3_interface: bool = False

    def routes_out(self, subnet: str) -> bool:
        """Whether a subnet leads out for those without a public address."""
        return self.tables[subnet] in self.leading_out

    def routes_to_s3(self, subnet: str) -> bool:
        """Whether a subnet leads to S3's gateway endpoint."""
        return self.tables[subnet] in self.leading_to_s3

    def find_obstacle_to_s3(self, place: VpcAttachment) -> str:
        """What is missing between a place and S3; empty where nothing is, or nothing can be said."""
        if self.has_s3_interface:
            return ""
        if not self._lets_out(place):
            return f"{_name_groups(place.groups)} let no HTTPS (TCP 443) out to S3: there is no egress rule for it"
        for subnet in self._known(place):
            if not (self.routes_to_s3(subnet) or self.routes_out(subnet)):
                return (
                    f"nothing leads from {subnet} to S3: its route table {self.tables[subnet]} has neither a gateway "
                    "endpoint of S3 nor a default route through a NAT gateway"
                )
        return ""

    def find_obstacle_to_url(self, place: VpcAttachment, url: str) -> str:
        """What is missing between a place and a function URL, which is outside every VPC; empty as for S3."""
        if not self._lets_out(place):
            return f"{_name_groups(place.groups)} let no HTTPS (TCP 443) out to {url}: there is no egress rule for it"
        for subnet in self._known(place):
            if not self.routes_out(subnet):
                return (
                    f"nothing leads from {subnet} to {url}: function URLs are outside every VPC, and its route table "
                    f"{self.tables[subnet]} has no default route through a NAT gateway"
                )
        return ""

    def find_obstacle_to_file_system(self, place: VpcAttachment, system: FileSystem) -> str:
        """What is missing between a place and a file system; empty as for S3."""
        if not system.groups:
            return f"the file system {system.id} has no mount target in the VPC"
        sides = (place.groups, system.groups)
        if not self.groups.keys() >= {*place.groups, *system.groups}:
            return ""
        if system.kind == EFS:
            return self._find_closed(*sides, system.id, (NFS,))
        # Lustre's servers call their clients back.
        return self._find_closed(*sides, system.id, LUSTRE) or self._find_closed(*sides[::-1], system.id, LUSTRE)

    def _find_closed(
        self, sources: tuple[str, ...], targets: tuple[str, ...], system: str, ports: Iterable[int]
    ) -> str:
        for port in ports:
            of, to = f"TCP {port}", f"for the file system {system}"
            if not self._opens("egress", sources, targets, port):
                return f"{_name_groups(sources)} lack an egress rule to {_name_groups(targets)} for {of}, {to}"
            if not self._opens("ingress", targets, sources, port):
                return f"{_name_groups(targets)} lack an ingress rule from {_name_groups(sources)} for {of}, {to}"
        return ""

    def _opens(self, direction: str, groups: Iterable[str], others: tuple[str, ...], port: int) -> bool:
        rules = (rule for group in groups for rule in getattr(self.groups[group], direction))
        return any((rule.other in others or rule.may_lead_within) and rule.opens(port) for rule in rules)

    def _lets_out(self, place: VpcAttachment) -> bool:
        if not self.groups.keys() >= set(place.groups):
            return True
        rules = (rule for group in place.groups for rule in self.groups[group].egress)
        return any(rule.may_lead_outside and rule.opens(HTTPS) for rule in rules)

    def _known(self, place: VpcAttachment) -> list[str]:
        return [subnet for subnet in place.subnets if subnet in self.tables]


def _name_groups(groups: Iterable[str]) -> str:
    return f"the security groups {', '.join(groups)}"
