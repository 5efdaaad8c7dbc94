"""Versions and aliases of state machines, through the API of a local cloud and through its CloudFormation."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from headrace.local.engine.cloud import LocalCloud
from headrace.pipeline import machines
from tests.headrace.local.engine.test_executions import make, refuse, wait_for_end
from tests.local_clouds import allow, assume, make_role, running_with_object

pytestmark = pytest.mark.slow

DENIED = "AccessDeniedException"
ROLE = "arn:aws:iam::000000000000:role/states"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running_with_object(tmp_path_factory.mktemp("cloud"), "a", b"a") as started:
        make_role("states", trusted="states.amazonaws.com")
        yield started


@pytest.fixture
def states(cloud: LocalCloud) -> Any:
    assert cloud
    return boto3.client("stepfunctions", config=Config(inject_host_prefix=False))


def say(word: str) -> dict[str, Any]:
    """A definition that ends with a word."""
    return {"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Result": word, "End": True}}}


def publish_two(states: Any, name: str) -> tuple[str, str, str]:
    """A state machine that says "three" by now, and its versions that say "one" and "two"."""
    machine = make(states, name, say("one"))
    first = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(say("two")))
    second = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(say("three")))
    return machine, first, second


def point(version: str) -> list[dict[str, Any]]:
    return [{"stateMachineVersionArn": version, "weight": 100}]


def execute(states: Any, arn: str, **request: Any) -> dict[str, Any]:
    return wait_for_end(states, states.start_execution(stateMachineArn=arn, **request)["executionArn"])


def list_executions(states: Any, arn: str) -> set[str]:
    return {found["executionArn"] for found in states.list_executions(stateMachineArn=arn)["executions"]}


def test_runs_the_definition_of_the_version_that_is_named(states: Any) -> None:
    machine, first, second = publish_two(states, "versions")
    alias = states.create_state_machine_alias(name="live", routingConfiguration=point(first))["stateMachineAliasArn"]

    latest, by_version, by_alias = (execute(states, arn) for arn in (machine, second, alias))
    states.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=point(second))
    moved = execute(states, alias)

    outputs = [json.loads(each["output"]) for each in (latest, by_version, by_alias, moved)]
    assert outputs == ["three", "two", "one", "two"]
    arns = [(each.get("stateMachineVersionArn"), each.get("stateMachineAliasArn")) for each in (latest, by_version)]
    assert arns == [(None, None), (second, None)]
    assert (by_alias["stateMachineVersionArn"], by_alias["stateMachineAliasArn"]) == (first, alias)
    assert by_alias["stateMachineArn"] == machine
    started = states.describe_state_machine_for_execution(executionArn=by_alias["executionArn"])
    assert json.loads(started["definition"]) == say("one")
    assert list_executions(states, alias) == {by_alias["executionArn"], moved["executionArn"]}
    assert list_executions(states, second) == {by_version["executionArn"], moved["executionArn"]}
    assert len(list_executions(states, machine)) == 4
    listed = states.list_executions(stateMachineArn=alias, maxResults=1)
    rest = states.list_executions(stateMachineArn=alias, maxResults=1, nextToken=listed["nextToken"])
    assert [each["executions"][0]["executionArn"] for each in (listed, rest)] == [
        moved["executionArn"],
        by_alias["executionArn"],
    ]


def test_works_as_the_role_of_the_version(states: Any) -> None:
    make_role("able", allow("ssm:GetParameter"), trusted="states.amazonaws.com")
    boto3.client("ssm").put_parameter(Name="p", Value="v", Type="String")
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter", "Parameters": {"Name": "p"}}
    machine = make(states, "roles", {"StartAt": "A", "States": {"A": {**task, "End": True}}})
    states.update_state_machine(stateMachineArn=machine, roleArn=ROLE.replace("states", "able"))
    able = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    states.update_state_machine(stateMachineArn=machine, roleArn=ROLE)

    assert execute(states, able)["status"] == "SUCCEEDED"
    assert execute(states, machine)["status"] == "FAILED"


def test_publishes_one_version_of_a_revision(states: Any) -> None:
    machine, first, second = publish_two(states, "once")

    third = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    again = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]

    assert third == again == f"{machine}:3"
    listed = states.list_state_machine_versions(stateMachineArn=machine, maxResults=2)
    rest = states.list_state_machine_versions(stateMachineArn=machine, nextToken=listed["nextToken"])
    pages = [listed["stateMachineVersions"], rest["stateMachineVersions"]]
    found = [[each["stateMachineVersionArn"] for each in page] for page in pages]
    assert found == [[third, second], [first]]


def test_keeps_a_version_that_an_alias_names_and_forgets_both_with_the_machine(states: Any) -> None:
    machine, first, second = publish_two(states, "kept")
    alias = states.create_state_machine_alias(name="live", routingConfiguration=point(second))["stateMachineAliasArn"]

    assert "ConflictException" in refuse(states.delete_state_machine_version, stateMachineVersionArn=second)
    states.delete_state_machine_version(stateMachineVersionArn=first)
    assert "StateMachineDoesNotExist" in refuse(states.start_execution, stateMachineArn=first)
    states.delete_state_machine(stateMachineArn=machine)
    again = make(states, "kept", say("new"))

    assert "ResourceNotFound" in refuse(states.describe_state_machine_alias, stateMachineAliasArn=alias)
    assert states.list_state_machine_versions(stateMachineArn=again)["stateMachineVersions"] == []


def test_asks_iam_about_the_machine_with_the_qualifier_as_a_condition(states: Any) -> None:
    machine, first, second = publish_two(states, "limited")
    alias = states.create_state_machine_alias(name="live", routingConfiguration=point(second))["stateMachineAliasArn"]
    only_live = {"StringEquals": {"states:StateMachineQualifier": "live"}}
    make_role("anything", allow("states:StartExecution", on=machine))
    make_role("live-only", allow("states:StartExecution", on=machine, **only_live))
    make_role("by-alias-arn", allow("states:StartExecution", on=alias))

    def start(role: str, arn: str) -> str:
        try:
            assume(role).client("stepfunctions").start_execution(stateMachineArn=arn)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "started"

    assert [start("anything", arn) for arn in (machine, first, alias)] == ["started"] * 3
    assert [start("live-only", arn) for arn in (machine, first, alias)] == [DENIED, DENIED, "started"]
    assert [start("by-alias-arn", arn) for arn in (machine, alias)] == [DENIED, DENIED]


def write_template(word: str) -> str:
    """A state machine with a version of each revision, and an alias that leads to the latest."""
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"StateMachineName": "templated", "RoleArn": ROLE, "DefinitionString": json.dumps(say(word))},
    }
    revision = {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]}
    version = {
        "Type": "AWS::StepFunctions::StateMachineVersion",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"StateMachineArn": {"Ref": "Machine"}, "StateMachineRevisionId": revision},
    }
    preference = {"StateMachineVersionArn": {"Ref": "Version"}, "Type": "ALL_AT_ONCE"}
    alias = {
        "Type": "AWS::StepFunctions::StateMachineAlias",
        "Properties": {"Name": "live", "DeploymentPreference": preference},
    }
    outputs = {"Alias": {"Value": {"Ref": "Alias"}}}
    return json.dumps({"Resources": {"Machine": machine, "Version": version, "Alias": alias}, "Outputs": outputs})


def test_publishes_a_version_with_each_change_of_a_template_and_leads_the_alias_there(states: Any) -> None:
    formation: Any = boto3.client("cloudformation")
    request = {"StackName": "templated"}
    formation.create_stack(**request, TemplateBody=write_template("one"))
    formation.get_waiter("stack_create_complete").wait(**request, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1_200})
    (output,) = formation.describe_stacks(**request)["Stacks"][0]["Outputs"]
    alias = output["OutputValue"]
    before = execute(states, alias)

    formation.update_stack(**request, TemplateBody=write_template("two"))
    formation.get_waiter("stack_update_complete").wait(**request, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1_200})

    after = execute(states, alias)
    assert [json.loads(each["output"]) for each in (before, after)] == ["one", "two"]
    assert alias == f"{after['stateMachineArn']}:live"
    versions = states.list_state_machine_versions(stateMachineArn=after["stateMachineArn"])["stateMachineVersions"]
    assert [each["stateMachineVersionArn"].rpartition(":")[2] for each in versions] == ["2", "1"]
    formation.delete_stack(**request)
    formation.get_waiter("stack_delete_complete").wait(**request, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1_200})
    assert "StateMachineDoesNotExist" in refuse(states.start_execution, stateMachineArn=alias)


@pytest.mark.parametrize("name", ["2", "a b", "a" * 81])
def test_takes_no_alias_that_could_be_a_version_or_is_no_name(states: Any, name: str) -> None:
    _, first, _ = publish_two(states, f"refused-{len(name)}-{ord(name[0])}")

    refused = refuse(states.create_state_machine_alias, name=name, routingConfiguration=point(first))

    assert refused.startswith(f"ValidationException: Value '{name}' at 'name' failed to satisfy constraint")


def test_takes_aliases_with_dots(states: Any) -> None:
    _, first, _ = publish_two(states, "dotted")

    made = states.create_state_machine_alias(name="live.v-1", routingConfiguration=point(first))

    assert made["stateMachineAliasArn"].endswith(":dotted:live.v-1")


def test_starts_a_named_state_machine_by_its_alias_where_it_has_one(states: Any) -> None:
    machine, first, _ = publish_two(states, "named")
    without = machines.find_named_start("named"), json.loads(machines.read_live_definition(machine))

    states.create_state_machine_alias(name="live", routingConfiguration=point(first))

    assert without == (machine, say("three"))
    assert machines.find_named_start("named") == f"{machine}:live"
    assert json.loads(machines.read_live_definition(machine)) == say("one")
    assert machines.find_named_start(machine) == machine
