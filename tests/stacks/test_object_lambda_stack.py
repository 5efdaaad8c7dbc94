"""S3 Object Lambda stands apart: last of all, and nothing depends on what an account may be refused."""

import json

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from app import build
from headrace import contract
from stacks.object_lambda_stack import CLOSED_TO_NEW_ACCOUNTS
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import context_of, list_stacks, read_stacks, template_of
from tests.stacks.synthesis import open_app

OBJECT_LAMBDA = "AWS::S3ObjectLambda::AccessPoint"


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of(contract.OBJECT_LAMBDA_STACK, "object-lambda")


@pytest.fixture(scope="module")
def stack() -> cdk.Stack:
    return build_stack("object-lambda")


def build_stack(variant: str) -> cdk.Stack:
    found = build(open_app(context_of(variant))).node.find_child(contract.OBJECT_LAMBDA_STACK)
    assert isinstance(found, cdk.Stack)
    return found


def test_is_on_in_production_and_off_in_development() -> None:
    assert contract.OBJECT_LAMBDA_STACK in list_stacks("prod")
    assert contract.OBJECT_LAMBDA_STACK not in list_stacks("dev")


@pytest.mark.parametrize("variant", ["prod", "object-lambda"])
def test_is_nowhere_but_in_a_stack_of_its_own(variant: str) -> None:
    kinds = {
        stack: {resource["Type"] for resource in made["template"]["Resources"].values()}
        for stack, made in read_stacks(variant).items()
    }

    assert kinds.pop(contract.OBJECT_LAMBDA_STACK) == {OBJECT_LAMBDA}
    assert [stack for stack, found in kinds.items() if OBJECT_LAMBDA in found] == []


@pytest.mark.parametrize("variant", ["prod", "object-lambda"])
def test_has_nothing_that_another_stack_needs(variant: str) -> None:
    stacks = dict(read_stacks(variant))
    own = stacks.pop(contract.OBJECT_LAMBDA_STACK)

    assert own["name"] not in json.dumps([made["template"] for made in stacks.values()])
    assert not any("Export" in output for output in own["template"]["Outputs"].values())


@pytest.mark.parametrize("variant", ["prod", "object-lambda"])
def test_comes_after_every_other_stack(variant: str) -> None:
    last = build_stack(variant)
    others = {other.node.id for other in last.node.root.node.children if isinstance(other, cdk.Stack)}

    assert {other.node.id for other in last.dependencies} == others - {last.node.id}


def test_is_not_protected_as_cdk_deletes_what_a_refused_attempt_has_left() -> None:
    protected = {stack: made["is_protected"] for stack, made in read_stacks("prod").items()}

    assert not protected.pop(contract.OBJECT_LAMBDA_STACK)
    assert all(protected.values())


def test_says_in_one_line_that_new_accounts_are_refused_it(stack: cdk.Stack) -> None:
    (info,) = Annotations.from_stack(stack).find_info("*", Match.string_like_regexp("accounts"))

    assert info.entry.data == CLOSED_TO_NEW_ACCOUNTS
    assert info.entry.trace is None
    assert "\n" not in CLOSED_TO_NEW_ACCOUNTS
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []


def test_says_nothing_where_it_is_off() -> None:
    assert Annotations.from_stack(build_stack("dev")).find_info("*", Match.any_value()) == []


def test_makes_an_access_point_per_consumer_with_its_options(template: Template) -> None:
    points = template.find_resources(OBJECT_LAMBDA).values()
    transformations = [
        transformation
        for point in points
        for transformation in point["Properties"]["ObjectLambdaConfiguration"]["TransformationConfigurations"]
    ]
    payloads = [json.loads(t["ContentTransformation"]["AwsLambda"]["FunctionPayload"]) for t in transformations]

    assert [point["Properties"]["Name"] for point in points] == ["headrace-dev-training", "headrace-dev-labelling-team"]
    assert payloads == [{}, {"colour": "rgb", "height": "512", "width": "512"}]


def test_transforms_get_and_head_and_leaves_lists_to_s3(template: Template) -> None:
    for point in template.find_resources(OBJECT_LAMBDA).values():
        (transformation,) = point["Properties"]["ObjectLambdaConfiguration"]["TransformationConfigurations"]
        assert transformation["Actions"] == ["GetObject", "HeadObject"]
        assert point["Properties"]["ObjectLambdaConfiguration"]["AllowedFeatures"] == ["GetObject-Range"]


def test_puts_out_the_arn_and_the_alias_of_each(template: Template) -> None:
    outputs = template.to_json()["Outputs"]

    assert set(outputs) == {
        f"Normalizer{what}{consumer}" for what in ("Alias", "Arn") for consumer in ("Training", "LabellingTeam")
    }
    assert outputs["NormalizerArnTraining"]["Value"] == {"Fn::GetAtt": ["HeadraceDevTraining", "Arn"]}


def test_keeps_the_name_that_the_settings_give_when_its_consumer_is_renamed() -> None:
    templates = [
        template_with(
            contract.OBJECT_LAMBDA_STACK,
            "prod",
            {"normalizer.consumers": [{"name": consumer, "object_lambda_name": "photographs"}]},
        )
        for consumer in ("training", "search")
    ]

    for template in templates:
        template.has_resource_properties(OBJECT_LAMBDA, {"Name": "photographs"})
    assert len({tuple(template.find_resources(OBJECT_LAMBDA)) for template in templates}) == 1
