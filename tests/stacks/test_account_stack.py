"""SageMaker's log groups: one stack owns them for all environments of an account, and keeps them."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from account import build
from headrace.local.sagemaker.kinds.processing_jobs import ProcessingJob
from headrace.local.sagemaker.kinds.training_jobs import TrainingJob
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import find_resources, read_context
from tests.stacks.synthesis import open_app

ENVIRONMENT_KEYS = ("env", "environments")


def build_account(**logs: Any) -> cdk.App:
    """The account's app with these settings of its logs."""
    return build(open_app(read_context() | {"account": {"logs": logs}}))


def make_template(**logs: Any) -> Template:
    """The template of the account's stack."""
    (stack,) = build_account(**logs).node.children
    assert isinstance(stack, cdk.Stack)
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def template() -> Template:
    return make_template(customer_key=True, retention_days=365, endpoints=["headrace-prod-bigmart"])


def read_groups(template: Template) -> dict[str, dict[str, Any]]:
    """The log groups by their names."""
    groups = template.find_resources("AWS::Logs::LogGroup").values()
    return {group["Properties"]["LogGroupName"]: dict(group) for group in groups}


def test_owns_the_groups_that_sagemaker_names(template: Template) -> None:
    assert set(read_groups(template)) == {
        "/aws/sagemaker/Endpoints/headrace-prod-bigmart",
        "/aws/sagemaker/NotebookInstances",
        "/aws/sagemaker/ProcessingJobs",
        "/aws/sagemaker/TrainingJobs",
        "/aws/sagemaker/TransformJobs",
    }


def test_owns_every_group_that_jobs_of_the_local_cloud_write_to(template: Template) -> None:
    assert {TrainingJob.log.group, ProcessingJob.log.group} <= set(read_groups(template))


def test_keeps_events_as_long_as_the_settings_say(template: Template) -> None:
    assert {group["Properties"]["RetentionInDays"] for group in read_groups(template).values()} == {365}


def test_encrypts_every_group_with_a_key_of_its_own_where_the_settings_say_so(template: Template) -> None:
    (key,) = template.find_resources("AWS::KMS::Key")

    for group in read_groups(template).values():
        assert group["Properties"]["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}


def test_lets_cloudwatch_logs_use_the_key_for_this_accounts_groups(template: Template) -> None:
    (key,) = template.find_resources("AWS::KMS::Key").values()
    (statement,) = (s for s in key["Properties"]["KeyPolicy"]["Statement"] if "Service" in s["Principal"])

    assert "logs." in str(statement["Principal"]["Service"])
    assert "AWS::AccountId" in str(statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])


def test_has_no_key_otherwise() -> None:
    template = make_template()

    template.resource_count_is("AWS::KMS::Key", 0)
    assert all("KmsKeyId" not in group["Properties"] for group in read_groups(template).values())


def test_keeps_what_others_use_too_when_it_goes(template: Template) -> None:
    """`cdk import` asks for a deletion policy, as well."""
    kept = [*read_groups(template).values(), *template.find_resources("AWS::KMS::Key").values()]

    assert {resource["DeletionPolicy"] for resource in kept} <= {"Retain", "RetainExceptOnCreate"}
    assert {resource["UpdateReplacePolicy"] for resource in kept} == {"Retain"}


def test_is_protected_and_named_without_an_environment() -> None:
    (stack,) = build_account().node.children

    assert isinstance(stack, cdk.Stack)
    assert (stack.stack_name, stack.termination_protection) == ("headrace-account", True)


def test_needs_no_environment() -> None:
    context = {key: value for key, value in read_context().items() if key not in ENVIRONMENT_KEYS}

    assert len(build(open_app(context)).node.children) == 1


def test_environments_leave_the_groups_alone(variant: str) -> None:
    groups = find_resources(variant, "AWS::Logs::LogGroup").values()

    assert [g for g in groups if "/aws/sagemaker" in str(g["Properties"].get("LogGroupName"))] == []


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        ({"retention_days": 31}, r"account\.logs\.retention_days: found 31: CloudWatch Logs keeps logs for one of"),
        ({"retention": 30}, r"account\.logs\.retention: unknown key \(did you mean 'retention_days'\?\)"),
        ({"endpoints": ["a", "a"]}, r"account\.logs\.endpoints: found \['a', 'a'\]: 'a' occurs twice; remove one"),
        ({"endpoints": ["-a"]}, "'-a' is not the name of an endpoint"),
    ],
)
def test_refuses_settings_that_cannot_be(logs: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        build_account(**logs)


def test_refuses_what_is_no_object() -> None:
    with pytest.raises(SettingsError, match=r"^context 'account': expected an object, found 30$"):
        build(open_app({"account": 30}))


def test_cdk_nag_finds_nothing() -> None:
    app = build_account(customer_key=True, endpoints=["shop"])
    app.synth()

    assert AwsSolutionsChecks(app).validate_scope(app).violations == []


def build_with_role() -> cdk.App:
    return build(open_app(read_context() | {"account": {"api_gateway_logs": True}}))


def test_gives_api_gateway_no_role_unless_the_settings_ask_for_it(template: Template) -> None:
    template.resource_count_is("AWS::ApiGateway::Account", 0)


def test_gives_api_gateway_the_role_by_which_it_logs_and_leaves_it_for_other_apis() -> None:
    (stack,) = build_with_role().node.children
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    ((role, made),) = template.find_resources("AWS::IAM::Role").items()

    template.has_resource(
        "AWS::ApiGateway::Account",
        {"Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": [role, "Arn"]}}, "DeletionPolicy": "Retain"},
    )
    assert made["DeletionPolicy"] == "Retain"


def test_cdk_nag_finds_nothing_where_api_gateway_logs() -> None:
    app = build_with_role()

    assert not AwsSolutionsChecks(app).validate_scope(app).violations
