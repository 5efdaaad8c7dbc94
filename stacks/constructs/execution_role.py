"""The roles that SageMaker's jobs and endpoints run under."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.sagemaker_role import SageMakerRole
from stacks.nag import acknowledge, wildcard_in_account, wildcard_resource
from stacks.ownership import in_this_account

PROCESSING_JOBS: Final = "ProcessingJobs"
ENDPOINTS: Final = "Endpoints"
TRANSFORM_JOBS: Final = "TransformJobs"

# What SageMaker does to connect a job to a VPC.
MAKE_INTERFACES: Final = ("ec2:CreateNetworkInterface",)
CHANGE_INTERFACES: Final = (
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
LOOK_AT_NETWORKS: Final = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


class ExecutionRole(SageMakerRole):
    """What one kind of job may do: pull its container image, write its logs and metrics, and what `allow_*` adds.

    Args:
        scope: Where the role lives.
        construct_id: Its id there.
        kind: SageMaker's own name for the kind of job, as in its log groups and metric namespaces:
            TrainingJobs, ProcessingJobs, TransformJobs or Endpoints.
        repository: The only repository whose container images it may pull.
        key: The customer's key, where what it reads and writes is encrypted with one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        repository: ecr.IRepository,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.kind = kind
        self._key = key
        self._allow_image(repository)
        self._allow_logs_and_metrics(kind)
        if key and kind == ENDPOINTS:
            # The grant for an endpoint's volume is its creator's, and nothing is written from there.
            self.allow_decrypting(key)
        elif key:
            self.allow_key(key)

    def allow_reading(self, bucket: s3.IBucket, *prefixes: str) -> None:
        """Let the job list and read the objects below some prefixes."""
        self.allow_listing(bucket, prefixes)
        for prefix in prefixes:
            self.allow_objects(["s3:GetObject"], bucket, prefix)

    def allow_outputs(self, bucket: s3.IBucket, prefix: str) -> None:
        """Let SageMaker store what the job leaves below a prefix, encrypted with the key that the job's request names.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
        """
        self.allow_writing(bucket, prefix)
        if self._key:
            self.add_to_policy(iam.PolicyStatement(actions=["kms:Encrypt"], resources=[self._key.key_arn]))

    def allow_writing(self, bucket: s3.IBucket, prefix: str) -> None:
        """Let the job write objects below a prefix; the bucket removes uploads that were left unfinished."""
        self.allow_objects(["s3:PutObject"], bucket, prefix)

    def allow_listing_all(self, *buckets: s3.IBucket) -> None:
        """Let the job list buckets: S3 answers 403 instead of 404 to a role that may list only a prefix.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn for bucket in buckets],
                conditions=in_this_account(),
            )
        )

    def allow_network(self, subnets: Sequence[ec2.ISubnet], group: ec2.ISecurityGroup) -> None:
        """Let SageMaker connect the job to these subnets as this security group.

        https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
        """
        if self.kind == PROCESSING_JOBS:
            self._allow_any_network()
        else:
            self._allow_one_network(subnets, group)

    def _allow_any_network(self) -> None:
        self.add_to_policy(
            iam.PolicyStatement(actions=[*MAKE_INTERFACES, *CHANGE_INTERFACES, *LOOK_AT_NETWORKS], resources=["*"])
        )
        acknowledge(
            self,
            {
                wildcard_resource("*"): "AWS says of processing jobs in a VPC: 'Don't scope in the policy with any "
                "conditions or resource filters. Otherwise, the validation checks that occur during the creation of "
                "the processing job fail.' Only SageMaker takes this role, and the request names the network."
            },
        )

    def _allow_one_network(self, subnets: Sequence[ec2.ISubnet], group: ec2.ISecurityGroup) -> None:
        stack = Stack.of(self)
        interfaces = stack.format_arn(service="ec2", resource="network-interface", resource_name="*")
        places = [
            *(stack.format_arn(service="ec2", resource="subnet", resource_name=s.subnet_id) for s in subnets),
            stack.format_arn(service="ec2", resource="security-group", resource_name=group.security_group_id),
        ]
        self.add_to_policy(iam.PolicyStatement(actions=list(MAKE_INTERFACES), resources=[interfaces, *places]))
        self.add_to_policy(iam.PolicyStatement(actions=list(CHANGE_INTERFACES), resources=[interfaces]))
        self.add_to_policy(iam.PolicyStatement(actions=list(LOOK_AT_NETWORKS), resources=["*"]))
        acknowledge(
            self,
            {
                wildcard_in_account("ec2", "network-interface/*"): "SageMaker names the interfaces it makes for a job; "
                "they can be made in this platform's subnets and security group only."
            },
        )

    def _allow_image(self, repository: ecr.IRepository) -> None:
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                resources=[repository.repository_arn],
            )
        )
        self.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        acknowledge(
            self,
            {
                wildcard_resource("*"): "Some actions know no resources: the token for ECR, where pulling needs the "
                "repository's own statement; metrics, limited to one namespace by a condition; looking at networks "
                "and alarms."
            },
        )

    def _allow_logs_and_metrics(self, kind: str) -> None:
        namespace = f"/aws/sagemaker/{kind}"
        self.allow_logs(
            f"log-group:{namespace}*",
            "SageMaker names the groups and streams of a job's logs; "
            "the prefix limits the role to its own kind of job.",
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
            )
        )


def list_job_roles(scope: Construct) -> list[ExecutionRole]:
    """The roles below a construct that training and processing jobs run under."""
    roles = [role for role in scope.node.find_all() if isinstance(role, ExecutionRole)]
    return [role for role in roles if role.kind not in (ENDPOINTS, TRANSFORM_JOBS)]
