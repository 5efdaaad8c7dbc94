"""A VPC for training: isolated subnets, S3 through a gateway, everything else only by setting."""

from collections.abc import Sequence

from aws_cdk import Aws, Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.settings.network import ExistingNetworkSettings, NetworkSettings

# What a client of S3 in the VPC does with the platform's buckets.
OBJECT_ACTIONS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")
BUCKET_ACTIONS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")

# Where ECR keeps the layers of container images, which it hands out as links to S3:
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
LAYER_BUCKET = f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*"


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

        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.cidr),
            # The first zones of whichever region: naming them would need a lookup.
            availability_zones=[Fn.select(index, Fn.get_azs()) for index in range(settings.availability_zones)],
            nat_gateways=settings.nat_gateways,
            subnet_configuration=_subnets(settings),
        )
        kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if settings.nat_gateways else ec2.SubnetType.PRIVATE_ISOLATED
        self.subnets = self.vpc.select_subnets(subnet_type=kind).subnets
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

    def _add_s3_gateway(self, buckets: list[s3.IBucket]) -> None:
        gateway = self.vpc.add_gateway_endpoint(
            "S3",
            service=ec2.GatewayVpcEndpointAwsService.S3,
            subnets=[ec2.SubnetSelection(subnets=self.subnets)],
        )
        statements = [
            (OBJECT_ACTIONS, [bucket.arn_for_objects("*") for bucket in buckets]),
            (BUCKET_ACTIONS, [bucket.bucket_arn for bucket in buckets]),
            (("s3:GetObject",), [LAYER_BUCKET]),
        ]
        for actions, resources in statements:
            gateway.add_to_policy(
                iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=list(actions), resources=resources)
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


def _subnets(settings: NetworkSettings) -> list[ec2.SubnetConfiguration]:
    if settings.nat_gateways:
        return [
            ec2.SubnetConfiguration(
                name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
            ),
            ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        ]
    return [ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)]
