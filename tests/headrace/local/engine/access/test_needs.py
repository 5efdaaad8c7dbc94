"""What calls need besides the permission of their own name."""

from collections.abc import Iterator
from typing import Any

import pytest

from headrace.local.engine.access.needs import (
    RULES,
    Holder,
    Need,
    Rule,
    list_needs,
    list_own_needs,
    name_key,
)
from headrace.local.engine.access.tasks import list_task_needs, list_waiting_needs

ROLE = "arn:aws:iam::000000000000:role/ml"
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/mine:1"
REPOSITORY = "arn:aws:ecr:us-east-1:000000000000:repository/team/mine"
NETWORK = {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
SAGEMAKER = "arn:aws:sagemaker:us-east-1:000000000000"


def names(needs: Iterator[Need]) -> set[tuple[str, str]]:
    return {(need.action, need.resource) for need in needs}


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        (
            "CreateTrainingJob",
            {"TrainingJobName": "A"},
            {("sagemaker:CreateTrainingJob", f"{SAGEMAKER}:training-job/a")},
        ),
        ("DescribeEndpoint", {"EndpointName": "E"}, {("sagemaker:DescribeEndpoint", f"{SAGEMAKER}:endpoint/e")}),
        ("InvokeEndpoint", {"EndpointName": "e"}, {("sagemaker:InvokeEndpoint", f"{SAGEMAKER}:endpoint/e")}),
        ("ListModels", {}, {("sagemaker:ListModels", "*")}),
        ("ListTags", {"ResourceArn": "arn:x"}, {("sagemaker:ListTags", "arn:x")}),
        (
            "UpdateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            {
                ("sagemaker:UpdateEndpoint", f"{SAGEMAKER}:endpoint/e"),
                ("sagemaker:UpdateEndpoint", f"{SAGEMAKER}:endpoint-config/c"),
            },
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [{"ModelName": "m"}]},
            {("sagemaker:CreateEndpointConfig", f"{SAGEMAKER}:endpoint-config/c")},
        ),
        (
            "CreateModelPackage",
            {"ModelPackageGroupName": "G"},
            {
                ("sagemaker:CreateModelPackage", f"{SAGEMAKER}:model-package/g/0"),
                ("sagemaker:CreateModelPackage", f"{SAGEMAKER}:model-package-group/g"),
            },
        ),
        (
            "UpdateModelPackage",
            {"ModelPackageArn": f"{SAGEMAKER}:model-package/g/1"},
            {("sagemaker:UpdateModelPackage", f"{SAGEMAKER}:model-package/g/1")},
        ),
        (
            "DescribeModelPackage",
            {"ModelPackageName": f"{SAGEMAKER}:model-package/g/1"},
            {("sagemaker:DescribeModelPackage", f"{SAGEMAKER}:model-package/g/1")},
        ),
        (
            "BatchDescribeModelPackage",
            {"ModelPackageArnList": ["arn:a", "arn:b"]},
            {("sagemaker:BatchDescribeModelPackage", "arn:a"), ("sagemaker:BatchDescribeModelPackage", "arn:b")},
        ),
        ("ListModelPackages", {"ModelPackageGroupName": "g"}, {("sagemaker:ListModelPackages", "*")}),
        (
            "CreateModel",
            {"ModelName": "m", "Tags": [{"Key": "team", "Value": "a"}]},
            {("sagemaker:CreateModel", f"{SAGEMAKER}:model/m"), ("sagemaker:AddTags", f"{SAGEMAKER}:model/m")},
        ),
    ],
)
def test_names_the_resources_of_sagemakers_operations(
    operation: str, request_: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert names(list_own_needs(operation, request_)) == expected


def test_gives_the_tags_of_a_request_to_conditions() -> None:
    (need, _) = list_own_needs("CreateModel", {"ModelName": "m", "Tags": [{"Key": "team", "Value": "a"}]})

    assert need.context == {"aws:RequestTag/team": "a", "aws:TagKeys": ["team"]}


def test_gives_what_is_said_of_a_version_to_conditions() -> None:
    request = {
        "ModelPackageArn": "arn:a",
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": {"headrace:job": "j"},
    }

    (need,) = list_own_needs("UpdateModelPackage", request)

    assert need.context == {
        "sagemaker:ModelApprovalStatus": "Approved",
        "sagemaker:CustomerMetadataProperties/headrace:job": "j",
    }


def test_demands_the_container_image_of_a_version_of_the_role_of_its_model() -> None:
    request = {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": "g/1"}, "ExecutionRoleArn": ROLE}

    needs = list_needs("sagemaker", "CreateModel", request, find_version=lambda _: {"Image": IMAGE})

    assert ("ecr:BatchGetImage", REPOSITORY) in names(needs)


def test_demands_a_grant_of_who_changes_an_endpoint_with_a_key() -> None:
    request = {"EndpointName": "e", "EndpointConfigName": "c"}

    needs = list(list_needs("sagemaker", "UpdateEndpoint", request, find_config=lambda _: {"KmsKeyId": "k"}))

    assert names(iter(needs)) == {("kms:CreateGrant", KEY), ("kms:DescribeKey", KEY)}
    assert {need.holder for need in needs} == {Holder.CALLER}
    grants = {need.action for need in needs if need.context == {"kms:GrantIsForAWSResource": "true"}}
    assert grants == {"kms:CreateGrant"}
    assert not list(list_needs("sagemaker", "UpdateEndpoint", request, find_config=lambda _: {}))


def test_demands_a_grant_for_the_volume_of_a_job_of_its_role_or_of_who_creates_it() -> None:
    (need,) = list_needs("sagemaker", "CreateTrainingJob", {"ResourceConfig": {"VolumeKmsKeyId": KEY}})

    assert (need.action, need.resource, need.holder) == ("kms:CreateGrant", KEY, Holder.EITHER)


@pytest.mark.parametrize(
    ("operation", "output"),
    [("CreateTrainingJob", "OutputDataConfig"), ("CreateProcessingJob", "ProcessingOutputConfig")],
)
def test_demands_of_a_role_that_it_may_encrypt_what_the_job_leaves(operation: str, output: str) -> None:
    needs = list(list_needs("sagemaker", operation, {output: {"KmsKeyId": "k"}}))

    assert names(iter(needs)) == {("kms:Encrypt", KEY), ("kms:GenerateDataKey", KEY)}
    assert {need.holder for need in needs} == {Holder.ROLE}


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("CreateTrainingJob", {"AlgorithmSpecification": {"TrainingImage": IMAGE}}),
        ("CreateProcessingJob", {"AppSpecification": {"ImageUri": IMAGE}}),
        ("CreateModel", {"PrimaryContainer": {"Image": IMAGE}}),
    ],
)
def test_demands_of_a_role_that_it_may_pull_the_container_image(operation: str, request_: dict[str, Any]) -> None:
    needs = list(list_needs("sagemaker", operation, request_))

    assert names(iter(needs)) == {
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchCheckLayerAvailability", REPOSITORY),
        ("ecr:BatchGetImage", REPOSITORY),
        ("ecr:GetDownloadUrlForLayer", REPOSITORY),
    }
    assert {need.holder for need in needs} == {Holder.ROLE}


def test_leaves_container_images_of_other_accounts_to_those() -> None:
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/theirs:1"

    assert not list(list_needs("sagemaker", "CreateModel", {"PrimaryContainer": {"Image": image}}))


def test_demands_nine_permissions_of_the_role_of_a_training_job_in_a_network() -> None:
    needs = list(list_needs("sagemaker", "CreateTrainingJob", {"VpcConfig": NETWORK}))

    assert len({need.action for need in needs}) == 9
    places = {need.resource.rpartition(":")[2] for need in needs if need.action == "ec2:CreateNetworkInterface"}
    assert places == {"subnet/subnet-1", "subnet/subnet-2", "security-group/sg-1", "network-interface/eni-0"}


def test_demands_nine_permissions_without_a_scope_of_the_role_of_a_processing_job_in_a_network() -> None:
    needs = list(list_needs("sagemaker", "CreateProcessingJob", {"NetworkConfig": {"VpcConfig": NETWORK}}))

    assert len({need.action for need in needs}) == 9
    assert {need.resource for need in needs} == {"*"}


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("sagemaker", "CreateProcessingJob", {"RoleArn": ROLE}),
        ("sagemaker", "CreateModel", {"ExecutionRoleArn": ROLE}),
    ],
)
def test_demands_that_who_passes_a_role_may_pass_it_to_this_service(
    service: str, operation: str, request_: dict[str, Any]
) -> None:
    (need,) = list_needs(service, operation, request_)

    assert (need.action, need.resource) == ("iam:PassRole", ROLE)
    assert need.context == {"iam:PassedToService": f"{service}.amazonaws.com"}


def test_demands_of_a_state_machine_that_it_may_look_after_the_job_that_it_waits_for() -> None:
    needs = names(list_waiting_needs("TrainingJob", {"TrainingJobName": "j"}))

    assert {action for action, _ in needs} == {
        "sagemaker:DescribeTrainingJob",
        "sagemaker:ListTags",
        "sagemaker:StopTrainingJob",
        "events:DescribeRule",
        "events:PutRule",
        "events:PutTargets",
    }


@pytest.mark.parametrize(
    ("resource", "arguments", "action", "on"),
    [
        (
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": "f"},
            "lambda:InvokeFunction",
            "lambda:us-east-1:0:function:f",
        ),
        ("arn:aws:lambda:us-east-1:0:function:f", {}, "lambda:InvokeFunction", "lambda:us-east-1:0:function:f"),
        ("arn:aws:states:::sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:0:t"}, "sns:Publish", "sns:us-east-1:0:t"),
        ("arn:aws:states:::sqs:sendMessage", {"QueueUrl": "http://x/0/q"}, "sqs:SendMessage", "sqs:us-east-1:0:q"),
        (
            "arn:aws:states:::events:putEvents",
            {"Entries": [{}]},
            "events:PutEvents",
            "events:us-east-1:0:event-bus/default",
        ),
        (
            "arn:aws:states:::lambda:invoke",
            {"FunctionName": "f", "Entries": [{"FunctionName": "decoy"}]},
            "lambda:InvokeFunction",
            "lambda:us-east-1:0:function:f",
        ),
        (
            "arn:aws:lambda:us-east-1:0:function:sagemaker:1",
            {},
            "lambda:InvokeFunction",
            "lambda:us-east-1:0:function:sagemaker:1",
        ),
        (
            "arn:aws:states:::sns:publish",
            {"TargetArn": "arn:aws:sns:us-east-1:0:t"},
            "sns:Publish",
            "sns:us-east-1:0:t",
        ),
        ("arn:aws:states:::sns:publish", {"PhoneNumber": "+1"}, "sns:Publish", "*"),
        ("arn:aws:states:::dynamodb:putItem", {"TableName": "t"}, "dynamodb:PutItem", "dynamodb:us-east-1:0:table/t"),
        ("arn:aws:states:::ecs:runTask.sync", {}, "ecs:RunTask", "*"),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            {"StateMachineArn": "arn:aws:states:us-east-1:0:stateMachine:m"},
            "states:StartExecution",
            "states:us-east-1:0:stateMachine:m",
        ),
    ],
)
def test_names_what_the_task_of_a_state_machine_needs(
    resource: str, arguments: dict[str, Any], action: str, on: str
) -> None:
    (need,) = list_task_needs(resource, arguments)

    whole = "*" if on == "*" else f"arn:aws:{on}"
    assert (need.action, need.resource.replace(":000000000000:", ":0:")) == (action, whole)


def test_demands_every_bus_that_a_task_puts_events_on() -> None:
    entries = [{"EventBusName": "a"}, {"EventBusName": "b"}, {"EventBusName": "a"}]

    needs = list_task_needs("arn:aws:states:::events:putEvents", {"Entries": entries})

    assert [need.resource.rpartition("/")[2] for need in needs] == ["a", "b"]


@pytest.mark.parametrize("rule", [rule for rules in RULES.values() for rule in rules], ids=lambda rule: rule.actions[0])
def test_says_where_aws_demands_it(rule: Rule) -> None:
    assert rule.source.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize("given", [KEY, "k"])
def test_writes_a_key_as_its_arn(given: str) -> None:
    assert name_key(given) == KEY
