"""The image normalizer: a small Graviton function with the doors that are asked for, and few rights."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import list_stacks, read_definition, template_of


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of("Normalizer")


@pytest.fixture(scope="module")
def with_object_lambda() -> Template:
    return template_of("Normalizer", "object-lambda")


def list_statements(template: Template, kind: str) -> list[dict[str, Any]]:
    """What the policies of the doors for single images say."""
    policies = template.find_resources(kind).items()
    of_requests = [policy for name, policy in policies if not name.startswith("Bulk")]
    return [s for policy in of_requests for s in policy["Properties"]["PolicyDocument"]["Statement"]]


def find_statements(template: Template, kind: str, action: str) -> list[dict[str, Any]]:
    return [s for s in list_statements(template, kind) if action in list_actions(s)]


def list_actions(statement: dict[str, Any]) -> list[str]:
    actions: str | list[str] = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def test_runs_a_small_function_on_graviton(template: Template) -> None:
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Architectures": ["arm64"], "MemorySize": 256, "Runtime": "python3.13", "Timeout": 30},
    )


def test_reserves_concurrency_only_where_asked(template: Template) -> None:
    reserved = template_with("Normalizer", "dev", {"normalizer.reserved_concurrency": 50})

    template.has_resource_properties("AWS::Lambda::Function", {"ReservedConcurrentExecutions": Match.absent()})
    reserved.has_resource_properties("AWS::Lambda::Function", {"ReservedConcurrentExecutions": 50})


@pytest.mark.parametrize(("variant", "keeps_all"), [("dev", "false"), ("object-lambda", "true")])
def test_keeps_normalized_images_as_the_settings_say(variant: str, keeps_all: str) -> None:
    template_of("Normalizer", variant).has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"CACHE_KEEPS_ALL": keeps_all})}},
    )


def test_logs_into_a_group_that_expires(template: Template) -> None:
    (name,) = (name for name in template.find_resources("AWS::Logs::LogGroup") if not name.startswith("Bulk"))

    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})
    template.has_resource_properties("AWS::Lambda::Function", {"LoggingConfig": {"LogGroup": {"Ref": name}}})


def test_lets_the_function_do_what_it_must_and_nothing_else(template: Template) -> None:
    actions = {json.dumps(s["Action"]) for s in list_statements(template, "AWS::IAM::Policy")}

    assert actions == {
        '"s3:GetObject"',
        '"s3:ListBucket"',
        '["s3:GetObject", "s3:PutObject"]',
        '["logs:CreateLogStream", "logs:PutLogEvents"]',
    }


def test_lets_the_function_write_below_the_cache_prefix_only(template: Template) -> None:
    (statement,) = find_statements(template, "AWS::IAM::Policy", "s3:PutObject")

    assert statement["Resource"]["Fn::Join"][1][1] == "/normalized/*"


def test_lets_the_function_read_images_through_its_access_point_only(template: Template) -> None:
    reading = [s for s in list_statements(template, "AWS::IAM::Policy") if s["Action"] == "s3:GetObject"]
    resources = [s["Resource"]["Fn::Join"][1] for s in reading]

    assert [parts[1] for parts in resources] == ["/object/images/*", "/images/*"]
    assert "s3:DataAccessPointArn" in reading[1]["Condition"]["StringEquals"]


def test_opens_the_function_url_to_signed_requests_only(template: Template) -> None:
    template.has_resource_properties("AWS::Lambda::Url", {"AuthType": "AWS_IAM"})
    template.resource_count_is("AWS::Lambda::Url", 1)


def test_has_no_function_url_when_it_is_off() -> None:
    changes = {"normalizer.function_url": False}

    template_with("Normalizer", "object-lambda", changes).resource_count_is("AWS::Lambda::Url", 0)


def test_is_not_there_without_a_door() -> None:
    closed = {"normalizer.function_url": False, "normalizer.bulk": None, "images.training.normalized": None}

    assert "Resources" not in template_with("Normalizer", "dev", closed).to_json()


def test_has_no_function_and_no_consumers_when_there_is_the_batch_door_alone() -> None:
    closed = {"normalizer.function_url": False, "normalizer.object_lambda": False}
    alone = template_with("Normalizer", "prod", closed)

    # The one that is left ends executions that fail.
    assert [name[:4] for name in alone.find_resources("AWS::Lambda::Function")] == ["Bulk"]
    alone.resource_count_is("AWS::IAM::ManagedPolicy", 0)
    alone.resource_count_is("AWS::StepFunctions::StateMachine", 1)


def test_has_no_batch_door_when_it_is_off() -> None:
    without = template_with("Normalizer", "prod", {"normalizer.bulk": None})

    without.resource_count_is("AWS::StepFunctions::StateMachine", 0)


def test_is_there_in_every_environment(environment: str) -> None:
    assert "Normalizer" in list_stacks(environment)


def test_gives_every_consumer_an_access_point_of_its_own(with_object_lambda: Template) -> None:
    points = with_object_lambda.find_resources("AWS::S3::AccessPoint")

    assert {name.partition("Consumer")[0] for name in points if "Consumer" in name} == {"Training", "LabellingTeam"}


def test_closes_every_access_point_to_the_public(with_object_lambda: Template) -> None:
    for point in with_object_lambda.find_resources("AWS::S3::AccessPoint").values():
        assert set(point["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


def test_lets_readers_use_the_function_through_its_url(template: Template) -> None:
    (invoke_url,) = find_statements(template, "AWS::IAM::ManagedPolicy", "lambda:InvokeFunctionUrl")
    (invoke,) = find_statements(template, "AWS::IAM::ManagedPolicy", "lambda:InvokeFunction")

    assert invoke_url["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    assert invoke["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": True}}


def test_lets_readers_at_the_originals_through_object_lambda_only(with_object_lambda: Template) -> None:
    reading = find_statements(with_object_lambda, "AWS::IAM::ManagedPolicy", "s3:GetObject")

    assert len(reading) == 4
    for statement in reading:
        called_via = statement["Condition"]["ForAnyValue:StringEquals"]["aws:CalledVia"]
        assert called_via == ["s3-object-lambda.amazonaws.com"]


def test_lets_the_function_answer_through_its_own_access_points_only(with_object_lambda: Template) -> None:
    (answering,) = find_statements(with_object_lambda, "AWS::IAM::Policy", "s3-object-lambda:WriteGetObjectResponse")
    names = sorted(resource["Fn::Join"][1][-1] for resource in answering["Resource"])

    assert names == [":accesspoint/headrace-dev-labelling-team", ":accesspoint/headrace-dev-training"]


def test_lets_readers_through_an_access_point_whether_it_is_there_or_not(with_object_lambda: Template) -> None:
    reading = find_statements(with_object_lambda, "AWS::IAM::ManagedPolicy", "s3-object-lambda:GetObject")

    assert [s["Resource"]["Fn::Join"][1][-1] for s in reading] == [
        ":accesspoint/headrace-dev-training",
        ":accesspoint/headrace-dev-labelling-team",
    ]


@pytest.mark.parametrize(("metric", "threshold"), [("Errors", 1), ("Throttles", 1), ("Duration", 24_000)])
def test_raises_an_alarm(template: Template, metric: str, threshold: int) -> None:
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"MetricName": metric, "Threshold": threshold, "TreatMissingData": "notBreaching"},
    )


def test_uses_the_customers_key_where_there_is_one(template: Template) -> None:
    with_key = template_of("Normalizer", "key")

    assert find_statements(template, "AWS::IAM::Policy", "kms:Decrypt") == []
    assert len(find_statements(with_key, "AWS::IAM::Policy", "kms:GenerateDataKey")) == 1


@pytest.fixture(scope="module")
def with_texts() -> Template:
    consumers = [{"name": "training"}, {"name": "texts", "transformation": "text"}]
    return template_with("Normalizer", "object-lambda", {"normalizer.consumers": consumers})


def find_text_role(template: Template) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy").items()
    (statements,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for name, policy in policies
        if name.startswith("TextNormalizer")
    )
    found: list[dict[str, Any]] = statements
    return found


def test_gives_another_transformation_a_function_with_its_own_memory(with_texts: Template) -> None:
    with_texts.has_resource_properties(
        "AWS::Lambda::Function",
        {"MemorySize": 512, "Environment": {"Variables": Match.object_like({"TRANSFORMATION": "text"})}},
    )
    with_texts.has_resource_properties(
        "AWS::Lambda::Function",
        {"MemorySize": 256, "Environment": {"Variables": {"TRANSFORMATION": Match.absent()}}},
    )
    assert {"NormalizerUrl", "NormalizerUrlText"} <= with_texts.find_outputs("*").keys()


def test_lets_another_transformation_read_and_keep_below_prefixes_of_its_own_only(with_texts: Template) -> None:
    statements = find_text_role(with_texts)
    reached = {
        part
        for statement in statements
        if "s3:GetObject" in list_actions(statement)
        for part in statement["Resource"]["Fn::Join"][1]
        if isinstance(part, str) and part.endswith("*")
    }

    assert reached == {"/object/texts/*", "/texts/*", "/normalized/text/*"}


def test_lets_a_consumer_invoke_the_function_of_its_transformation_only(with_texts: Template) -> None:
    (policy,) = (
        policy
        for name, policy in with_texts.find_resources("AWS::IAM::ManagedPolicy").items()
        if name.startswith("TextsConsumer")
    )
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    invoked = [json.dumps(s["Resource"]) for s in statements if any(a.startswith("lambda:") for a in list_actions(s))]

    assert invoked
    assert all("TextNormalizerFunction" in resource for resource in invoked)


def test_has_no_function_for_a_transformation_that_no_consumer_has_chosen(template: Template) -> None:
    assert [name for name in template.find_resources("AWS::Lambda::Function") if name.startswith("Text")] == []


def test_divides_a_set_among_the_instances_that_the_settings_ask_for() -> None:
    template = template_with("Normalizer", "prod", {"normalizer.bulk.instance_count": 4}).to_json()

    request = read_definition(template)["States"]["Normalize"]["Arguments"]
    assert request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 4
