"""Least privilege, over every policy of every stack."""

from collections.abc import Iterator
from typing import Any

import pytest

from headrace.policies import as_list
from tests.stacks.conftest import find_resources

# Actions that know no resources, from the Service Authorization Reference:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
WITHOUT_RESOURCES = {
    "comprehend:DetectDominantLanguage",
    "comprehend:DetectEntities",
    "comprehend:DetectKeyPhrases",
    "comprehend:DetectSentiment",
    "comprehend:DetectSyntax",
    # The token of a task says which.
    "states:SendTaskSuccess",
    "textract:GetDocumentAnalysis",
    "textract:StartDocumentAnalysis",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    # The local cloud judges it on all alarms, and AWS is not known to judge it on those that are named.
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "fsx:DescribeFileSystems",
    # Delivering a state machine's logs: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModels",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
    "states:ListStateMachines",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# SageMaker refuses a role whose policy scopes these for a processing job in a VPC:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
WITHOUT_SCOPE_IN_PROCESSING = {
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
}
OWN_ACCOUNT = {"Ref": "AWS::AccountId"}
IDENTITY_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def list_allowed(variant: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of an identity's policy that allows something."""
    for name, resource in find_resources(variant, *IDENTITY_POLICIES).items():
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                yield name, statement


def test_allows_no_action_with_a_wildcard(variant: str) -> None:
    assert [(n, a) for n, s in list_allowed(variant) for a in as_list(s["Action"]) if "*" in a] == []


def test_allows_everything_only_where_actions_know_no_resources(variant: str) -> None:
    on_everything = {
        (name, action)
        for name, statement in list_allowed(variant)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
        if action not in WITHOUT_RESOURCES
    }

    assert {name for name, _ in on_everything} <= {"Normalizer/BulkRoleDefaultPolicy078070E7"}
    assert {action for _, action in on_everything} <= WITHOUT_SCOPE_IN_PROCESSING


def test_lets_identities_into_buckets_of_the_account_only(variant: str) -> None:
    """The name of a bucket that is misspelt, or was deleted, may be registered by another account."""
    elsewhere = [
        (name, statement["Action"])
        for name, statement in list_allowed(variant)
        if any(action.startswith("s3:") for action in as_list(statement["Action"]))
        and statement.get("Condition", {}).get("StringEquals", {}).get("s3:ResourceAccount") != OWN_ACCOUNT
    ]

    assert elsewhere == []


def test_lists_no_action_without_resources_that_nobody_uses() -> None:
    used = {
        action
        for variant in ("prod", "people", "guard", "scaling", "fsx-per-run", "documents")
        for _, statement in list_allowed(variant)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }

    assert (WITHOUT_RESOURCES | WITHOUT_SCOPE_IN_PROCESSING) - used == set()


def test_attaches_no_managed_policy_which_could_not_go_before_the_role(variant: str) -> None:
    roles = find_resources(variant, "AWS::IAM::Role")

    assert [name for name, role in roles.items() if "ManagedPolicyArns" in role["Properties"]] == []


def test_writes_no_policy_into_a_role(variant: str) -> None:
    roles = find_resources(variant, "AWS::IAM::Role")

    assert [name for name, role in roles.items() if "Policies" in role["Properties"]] == []


def test_passes_roles_to_one_service_only(variant: str) -> None:
    passing = [(name, s) for name, s in list_allowed(variant) if "iam:PassRole" in as_list(s["Action"])]

    assert passing != []
    for name, statement in passing:
        services = ("textract", "comprehend") if name.startswith("Documents/") else ("sagemaker",)
        assert statement["Action"] == "iam:PassRole"
        assert statement["Condition"] in [
            {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}} for service in services
        ]
        assert all("Fn::GetAtt" in resource for resource in as_list(statement["Resource"]))


def test_lets_no_role_be_taken_by_an_account(variant: str) -> None:
    for role in find_resources(variant, "AWS::IAM::Role").values():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}


def test_gives_every_bucket_a_policy_that_refuses_plain_http(variant: str) -> None:
    refusing = {
        policy["Properties"]["Bucket"]["Ref"]
        for policy in find_resources(variant, "AWS::S3::BucketPolicy").values()
        if any(
            statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        )
    }

    assert refusing == {name.partition("/")[2] for name in find_resources(variant, "AWS::S3::Bucket")}


def test_opens_no_bucket_to_the_public(variant: str) -> None:
    for bucket in find_resources(variant, "AWS::S3::Bucket").values():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize(
    ("kind", "key_property"),
    [
        ("AWS::EFS::FileSystem", "KmsKeyId"),
        ("AWS::FSx::FileSystem", "KmsKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SageMaker::NotebookInstance", "KmsKeyId"),
    ],
)
def test_encrypts_what_stores_with_the_customers_key_where_there_is_one(kind: str, key_property: str) -> None:
    for variant in ("prod", "private-notebook"):
        for resource in find_resources(variant, kind).values():
            assert "Key961B73FD" in str(resource["Properties"][key_property])


def test_encrypts_every_bucket(variant: str) -> None:
    has_key = "Encryption/Key961B73FD" in find_resources(variant, "AWS::KMS::Key")
    for name, bucket in find_resources(variant, "AWS::S3::Bucket").items():
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        uses_key = has_key and not name.startswith("Storage/AccessLogs")
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == ("aws:kms" if uses_key else "AES256")
        assert rule.get("BucketKeyEnabled", False) is uses_key


def test_encrypts_every_file_system(variant: str) -> None:
    for file_system in find_resources(variant, "AWS::EFS::FileSystem").values():
        assert file_system["Properties"]["Encrypted"] is True


def test_encrypts_the_volumes_of_jobs_with_the_customers_key() -> None:
    for machine in find_resources("prod", "AWS::StepFunctions::StateMachine").values():
        assert "VolumeKmsKeyId" in str(machine["Properties"]["DefinitionString"])


def test_rotates_the_key() -> None:
    (key,) = find_resources("prod", "AWS::KMS::Key").values()

    assert key["Properties"]["EnableKeyRotation"] is True


def test_bounds_every_role_when_there_is_a_boundary() -> None:
    roles = find_resources("boundary", "AWS::IAM::Role")

    assert [name for name, role in roles.items() if "PermissionsBoundary" not in role["Properties"]] == []


def test_lets_fsx_use_the_key_through_s3_only() -> None:
    (key,) = find_resources("prod", "AWS::KMS::Key").values()
    open_to_all = [s for s in key["Properties"]["KeyPolicy"]["Statement"] if s["Principal"] == {"AWS": "*"}]

    (statement,) = open_to_all
    assert set(statement["Condition"]["StringEquals"]) == {"kms:CallerAccount", "kms:ViaService"}
    assert "AWSServiceRoleForFSxS3Access_*" in str(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])


def test_opens_the_key_to_nobody_else_where_there_is_no_fsx() -> None:
    (key,) = find_resources("key", "AWS::KMS::Key").values()

    assert [s for s in key["Properties"]["KeyPolicy"]["Statement"] if s["Principal"] == {"AWS": "*"}] == []


@pytest.mark.parametrize("stack", ["BigMart", "Images"])
def test_lets_the_registrar_read_and_not_write_what_early_executions_have_left(stack: str) -> None:
    early = "/executions/*/output/output.tar.gz"
    statements = [
        statement
        for name, statement in list_allowed("dev")
        if name.startswith(f"{stack}/TrainingRegistrarRole") and early in str(statement["Resource"])
    ]

    assert [as_list(statement["Action"]) for statement in statements] == [["s3:GetObject"]]
