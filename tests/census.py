"""What the account of a local cloud has, whichever stack or none has made it."""

from collections.abc import Mapping
from typing import Any

import boto3

from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.file_systems import list_folders

# A resource's CloudFormation type, and what the account calls it.
Thing = tuple[str, str]

# The service that lists a type, the operation, and where its answer has the names.
_LISTED: Mapping[str, tuple[str, str, str]] = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::EC2::VPCEndpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints[].VpcEndpointId"),
    "AWS::ECR::Repository": ("ecr", "describe_repositories", "repositories[].repositoryName"),
    "AWS::EFS::AccessPoint": ("efs", "describe_access_points", "AccessPoints[].AccessPointId"),
    "AWS::EFS::FileSystem": ("efs", "describe_file_systems", "FileSystems[].FileSystemId"),
    "AWS::Events::Rule": ("events", "list_rules", "Rules[].Name"),
    "AWS::IAM::ManagedPolicy": ("iam", "list_policies", "Policies[?!contains(Arn, ':aws:policy/')].Arn"),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName"),
    "AWS::KMS::Alias": ("kms", "list_aliases", "Aliases[].AliasName"),
    "AWS::KMS::Key": ("kms", "list_keys", "Keys[].KeyId"),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions[].FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "AWS::SNS::Topic": ("sns", "list_topics", "Topics[].TopicArn"),
    "AWS::Scheduler::Schedule": ("scheduler", "list_schedules", "Schedules[].Name"),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "list_state_machines", "stateMachines[].stateMachineArn"),
}


class Census:
    """What there is of the types that an account can list, but for keys that are to be deleted.

    Args:
        cloud: The local cloud, to which this process's clients lead.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._clients = {service: boto3.client(service) for service, _, _ in _LISTED.values()}

    def take(self) -> set[Thing]:
        """Everything that there is now."""
        found = {
            (kind, str(name))
            for kind, (service, operation, names) in _LISTED.items()
            for name in self._clients[service].get_paginator(operation).paginate().search(names)
        }
        shared = {name for kind, name in found if kind == "AWS::EFS::FileSystem"}
        lustre = {("AWS::FSx::FileSystem", name) for name in list_folders(self._cloud.root).keys() - shared}
        return {thing for thing in found if not self._is_deleted(*thing)} | lustre

    def _is_deleted(self, kind: str, name: str) -> bool:
        """Keys are listed for as long as their deletion can be taken back."""
        if kind != "AWS::KMS::Key":
            return False
        described: Any = self._clients["kms"].describe_key(KeyId=name)
        return bool(described["KeyMetadata"]["KeyState"] == "PendingDeletion")
