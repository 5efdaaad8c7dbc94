"""The alias that executions are started by, and the versions that deployments publish, as the templates have them."""

from collections.abc import Mapping
from typing import Any

import pytest

from headrace.recipes import list_usual_recipes
from tests.stacks.conftest import template_of

MACHINE, RULE = "AWS::StepFunctions::StateMachine", "AWS::Events::Rule"
VERSION, ALIAS = "AWS::StepFunctions::StateMachineVersion", "AWS::StepFunctions::StateMachineAlias"


def find_one(stack: str, kind: str, variant: str = "dev") -> tuple[str, Mapping[str, Any]]:
    ((name, resource),) = template_of(stack, variant).find_resources(kind).items()
    return name, resource


@pytest.mark.parametrize("recipe", list_usual_recipes(), ids=str)
def test_publishes_another_version_of_each_revision_and_keeps_those_before(recipe: Any) -> None:
    machine, _ = find_one(recipe.stack_id, MACHINE)
    _, version = find_one(recipe.stack_id, VERSION)

    assert version["Properties"] == {
        "StateMachineArn": {"Ref": machine},
        "StateMachineRevisionId": {"Fn::GetAtt": [machine, "StateMachineRevisionId"]},
    }
    assert version["UpdateReplacePolicy"] == "Retain"
    # Deleting the state machine deletes its versions, so none has to be kept from that.
    assert version.get("DeletionPolicy") != "Retain"


@pytest.mark.parametrize("recipe", list_usual_recipes(), ids=str)
def test_leads_every_execution_to_the_version_that_was_published_last(recipe: Any) -> None:
    version, _ = find_one(recipe.stack_id, VERSION)
    name, alias = find_one(recipe.stack_id, ALIAS)

    route = {"StateMachineVersionArn": {"Fn::GetAtt": [version, "Arn"]}, "Weight": 100}
    assert alias["Properties"] == {"Name": "live", "RoutingConfiguration": [route]}
    outputs = template_of(recipe.stack_id, "dev").find_outputs(recipe.live_alias_output)
    assert [output["Value"] for output in outputs.values()] == [{"Fn::GetAtt": [name, "Arn"]}]


@pytest.mark.parametrize("recipe", list_usual_recipes(), ids=str)
def test_has_rules_start_the_alias(recipe: Any) -> None:
    alias, _ = find_one(recipe.stack_id, ALIAS, "starts")
    rules = template_of(recipe.stack_id, "starts").find_resources(RULE).values()
    targets = [target for rule in rules for target in rule["Properties"]["Targets"]]

    started = [target["Arn"] for target in targets if "RoleArn" in target]

    # Those of approvals, of the schedule and of new data; the other rule calls a function.
    assert started == len(started) * [{"Fn::GetAtt": [alias, "Arn"]}]
    assert len(started) == len(targets) - 1
