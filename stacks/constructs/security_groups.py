"""Who may speak to whom inside the network."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

NFS = ec2.Port.tcp(2049)
HTTPS = ec2.Port.tcp(443)
# https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html
LUSTRE = (ec2.Port.tcp(988), ec2.Port.tcp_range(1018, 1023))
NOWHERE = ec2.Peer.ipv4("127.0.0.1/32")


class SecurityGroups(Construct):
    """Training jobs reach the file systems, S3 and each other, processing jobs S3; nothing else reaches anything.

    HTTPS may leave to any address, because S3's addresses are known only by a lookup: the routes decide, and there are
    none but the S3 gateway's unless the settings say so.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        vpc: The network.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc

        self.training = self._add_group("Training", "Training jobs")
        self.processing = self._add_group("Processing", "Processing jobs")
        self.efs = self._add_group("Efs", "The EFS file system")
        self.lustre = self._add_group("Lustre", "The FSx for Lustre file system")
        # They cost nothing, and EC2 deletes no group that another stack's resources still have.
        self.notebook = self._add_group("Notebook", "Notebook instances")
        self.endpoints = self._add_group("Endpoints", "Interface endpoints of AWS services")

        _allow(self.training, self.training, ec2.Port.all_tcp(), "Nodes of one training job")
        self._admit(self.training)
        _let_out_to_s3(self.processing)
        self._admit(self.notebook)
        for port in LUSTRE:
            _allow(self.lustre, self.lustre, port, "Lustre file servers among themselves")
        self._close_default_egress()

    def _add_group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, construct_id, vpc=self._vpc, description=description, allow_all_outbound=False)

    def _admit(self, client: ec2.SecurityGroup) -> None:
        """Let a client reach the file systems, S3 and the interface endpoints."""
        _allow(client, self.efs, NFS, "NFS")
        for port in LUSTRE:
            _allow(client, self.lustre, port, "Lustre")
            # The servers call their clients back, to take locks away and after a restart.
            _allow(self.lustre, client, port, "Lustre file servers")
        _allow(client, self.endpoints, HTTPS, "AWS services")
        _let_out_to_s3(client)

    def _close_default_egress(self) -> None:
        """A group whose egress rules all stand apart from it keeps EC2's default one, which lets everything out.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupegress.html
        """
        self.lustre.add_egress_rule(NOWHERE, LUSTRE[0], "Instead of the default rule that allows everything")


def _let_out_to_s3(client: ec2.SecurityGroup) -> None:
    client.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "S3, as far as the routes go")


def _allow(source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: ec2.Port, why: str) -> None:
    target.add_ingress_rule(source, port, why)
    source.add_egress_rule(target, port, why)
