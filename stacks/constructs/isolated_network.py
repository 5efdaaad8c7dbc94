"""A VPC for training: isolated subnets, S3 through a gateway, everything else only by setting."""

import ipaddress
from collections.abc import Sequence
from typing import Any, cast

import jsii
from aws_cdk import Aws, Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.ownership import in_this_account
from stacks.settings.network import ExistingNetworkSettings, NetworkSettings

# What a client of S3 in the VPC does with the platform's buckets.
OBJECT_ACTIONS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")
BUCKET_ACTIONS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")

# Where ECR keeps the layers of container images, which it hands out as links to S3:
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
LAYER_BUCKET = f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*"


# Public subnets have addresses beside the VPC's own, of which the others may have all; every VPC may have these:
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#add-cidr-block-restrictions
PUBLIC_BLOCKS = ("100.64.0.0/26", "100.65.0.0/26")
PUBLIC_PREFIX = 28


@jsii.implements(ec2.IIpAddresses)
class _Addresses:
    """Which addresses each subnet has: those inside the same with and without a way to the internet.

    Args:
        cidr: The VPC's own, shared out among the subnets inside.
        public: Where public subnets have theirs.
    """

    def __init__(self, cidr: str, public: str) -> None:
        self._cidr = cidr
        self._public = public

    def allocate_vpc_cidr(self) -> ec2.VpcIpamOptions:
        """The VPC's own addresses."""
        return ec2.VpcIpamOptions(cidr_block=self._cidr)

    @jsii.member(jsii_name="allocateSubnetsCidr")
    def allocate_subnets_cidr(
        self,
        *,
        requested_subnets: Sequence[ec2.RequestedSubnet | dict[str, Any]],
        vpc_cidr: str,  # noqa: ARG002 (a token)
    ) -> ec2.SubnetIpamOptions:
        """A range for each subnet, out of the VPC's addresses where it is inside."""
        kinds = [cast("ec2.RequestedSubnet", subnet).configuration.subnet_type for subnet in requested_subnets]
        inside = sum(kind != ec2.SubnetType.PUBLIC for kind in kinds)
        ranges = ipaddress.IPv4Network(self._cidr).subnets((inside - 1).bit_length())
        public_ranges = ipaddress.IPv4Network(self._public).subnets(new_prefix=PUBLIC_PREFIX)
        return ec2.SubnetIpamOptions(
            allocated_subnets=[
                ec2.AllocatedSubnet(cidr=str(next(public_ranges if kind == ec2.SubnetType.PUBLIC else ranges)))
                for kind in kinds
            ]
        )


class IsolatedNetwork(Construct):
    """A VPC of two or three zones whose subnets reach S3 and, by setting, chosen services or the internet."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: NetworkSettings,
        buckets: list[s3.IBucket],
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)

        public = next(block for block in PUBLIC_BLOCKS if not _overlap(block, settings.cidr))
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=_Addresses(settings.cidr, public),
            availability_zones=_zones(settings),
            nat_gateways=settings.nat_gateways,
            subnet_configuration=_subnets(settings),
        )
        kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if settings.nat_gateways else ec2.SubnetType.PRIVATE_ISOLATED
        self.subnets = self.vpc.select_subnets(subnet_type=kind).subnets
        self._add_public_addresses(public)
        self._add_s3_gateway(buckets)
        self._add_flow_log(settings, key)

    def add_interface_endpoints(self, services: Sequence[str], group: ec2.ISecurityGroup) -> None:
        """Let the subnets reach AWS services by private addresses, each at a price while it stands."""
        for service in services:
            self.vpc.add_interface_endpoint(
                "".join(part.capitalize() for part in service.replace("-", ".").split(".")),
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=ec2.SubnetSelection(subnets=self.subnets),
                security_groups=[group],
                open=False,
            )

    def _add_public_addresses(self, block: str) -> None:
        if self.vpc.public_subnets:
            addresses = ec2.CfnVPCCidrBlock(self, "PublicAddresses", vpc_id=self.vpc.vpc_id, cidr_block=block)
            for subnet in self.vpc.public_subnets:
                subnet.node.add_dependency(addresses)

    def _add_s3_gateway(self, buckets: list[s3.IBucket]) -> None:
        gateway = self.vpc.add_gateway_endpoint(
            "S3",
            service=ec2.GatewayVpcEndpointAwsService.S3,
            subnets=[ec2.SubnetSelection(subnets=self.subnets)],
        )
        statements = [
            (OBJECT_ACTIONS, [bucket.arn_for_objects("*") for bucket in buckets], in_this_account()),
            (BUCKET_ACTIONS, [bucket.bucket_arn for bucket in buckets], in_this_account()),
            (("s3:GetObject",), [LAYER_BUCKET], {}),
        ]
        for actions, resources, conditions in statements:
            gateway.add_to_policy(
                iam.PolicyStatement(
                    principals=[iam.AnyPrincipal()], actions=list(actions), resources=resources, conditions=conditions
                )
            )

    def _add_flow_log(self, settings: NetworkSettings, key: kms.IKey | None) -> None:
        group = ExpiringLogGroup(self, "FlowLogs", days=settings.flow_log_days, key=key, retain_data=False)
        self.vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))


class ExistingNetwork(Construct):
    """A VPC that somebody else keeps; its routes and endpoints are theirs."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: ExistingNetworkSettings) -> None:
        super().__init__(scope, construct_id)

        self.vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=settings.vpc_id,
            vpc_cidr_block=settings.cidr,
            availability_zones=list(settings.availability_zones),
            isolated_subnet_ids=list(settings.subnet_ids),
            isolated_subnet_route_table_ids=list(settings.route_table_ids),
        )
        self.subnets = self.vpc.isolated_subnets


def _zones(settings: NetworkSettings) -> list[str]:
    if isinstance(settings.availability_zones, int):
        # The first zones of whichever Region: naming them would need a lookup.
        return [Fn.select(index, Fn.get_azs()) for index in range(settings.availability_zones)]
    return list(settings.availability_zones)


def _subnets(settings: NetworkSettings) -> list[ec2.SubnetConfiguration]:
    # Under another name the subnets inside would be others, and what stands in them too.
    inside = "Isolated"
    if settings.nat_gateways:
        return [
            ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
            ec2.SubnetConfiguration(name=inside, subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        ]
    return [ec2.SubnetConfiguration(name=inside, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)]


def _overlap(one: str, other: str) -> bool:
    return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))
