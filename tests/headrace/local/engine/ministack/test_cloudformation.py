"""What headrace uses of the engine's CloudFormation is still there and still works as assumed."""

import importlib
import inspect
import json
from typing import Any

import pytest

from headrace.local.engine.ministack import (
    cloudformation,
)
from headrace.local.engine.resources import (
    EFS_ACCESS_POINT,
    EFS_FILE_SYSTEM,
    FSX_FILE_SYSTEM,
    MISSING_ATTRIBUTES,
    MISSING_TYPES,
    ResourceWatcher,
)


class Events:
    """A watcher that notes what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []
        self.watcher = ResourceWatcher(
            create=lambda resource_id, _: self.seen.append(("create", resource_id)),
            update=lambda resource_id, _: self.seen.append(("update", resource_id)),
            delete=lambda resource_id: self.seen.append(("delete", resource_id)),
        )


def test_lacks_the_types_that_are_added(provisioners: Any) -> None:
    assert not {missing.name for missing in MISSING_TYPES} & set(provisioners._RESOURCE_HANDLERS)


def test_lacks_the_attributes_that_are_added(provisioners: Any) -> None:
    properties = {"VpcId": "vpc-0123456789abcdef0", "CidrBlock": "10.0.0.0/24"}
    for name, describe in MISSING_ATTRIBUTES.items():
        resource_id, attributes = provisioners._provision_resource(name, "Some", properties, "stack")
        added = describe(resource_id, properties)
        provisioners._delete_resource(name, resource_id, properties)

        assert set(added) - set(attributes), name


@pytest.mark.parametrize("name", [*MISSING_ATTRIBUTES, EFS_FILE_SYSTEM, EFS_ACCESS_POINT])
def test_calls_the_handlers_that_are_wrapped_with_these_arguments(provisioners: Any, name: str) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[name]
    parameters = {action: list(inspect.signature(handlers[action]).parameters) for action in ("create", "update")}

    assert parameters["create"] == ["logical_id", "props", "stack_name"]
    assert parameters["update"] == ["physical_id", "old_props", "new_props", "stack_name", "logical_id"]
    assert list(inspect.signature(handlers["delete"]).parameters) == ["physical_id", "props"]
    assert "delete_with_logical_id" not in handlers


def test_updates_the_logging_of_a_state_machine_as_the_api_spells_it(provisioners: Any) -> None:
    cloudformation.install_resources({})
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    machine = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    properties = {"DefinitionString": json.dumps(machine), "RoleArn": "arn:aws:iam::000000000000:role/any"}
    group = {"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:any:*"}}

    arn, _ = handlers["create"]("Machine", properties, "stack")
    handlers["update"](
        arn, properties, {**properties, "LoggingConfiguration": {"Destinations": [group]}}, "stack", "Machine"
    )

    (destination,) = provisioners._sfn._state_machines[arn]["loggingConfiguration"]["destinations"]
    assert list(destination) == ["cloudWatchLogsLogGroup"]


def test_looks_handlers_and_threads_up_when_they_are_needed(provisioners: Any) -> None:
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")

    assert "_RESOURCE_HANDLERS.get(resource_type)" in inspect.getsource(provisioners._provision_resource)
    assert list(inspect.signature(stacks._runs_on_worker_thread).parameters) == ["resource_type"]
    assert "if _runs_on_worker_thread(resource_type)" in inspect.getsource(stacks)


def test_provisions_an_added_type(provisioners: Any) -> None:
    cloudformation.install_resources({})

    resource_id, attributes = provisioners._provision_resource("AWS::EC2::FlowLog", "Log", {}, "stack")

    assert attributes == {"Id": resource_id}


def test_keeps_an_added_resource_when_a_property_changes_that_allows_it(provisioners: Any) -> None:
    cloudformation.install_resources({})
    old, new = {"SubnetId": "subnet-1"}, {"SubnetId": "subnet-1", "Tags": []}

    updated = provisioners._update_resource("AWS::EC2::NatGateway", "nat-1", old, new, "stack", "Nat", {})

    assert updated == ("nat-1", {"NatGatewayId": "nat-1"})


def test_replaces_an_added_resource_when_a_property_changes_that_needs_it(provisioners: Any) -> None:
    cloudformation.install_resources({})
    old, new = {"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}

    resource_id, _ = provisioners._update_resource("AWS::EC2::NatGateway", "nat-1", old, new, "stack", "Nat", {})

    assert resource_id != "nat-1"


def test_adds_attributes_to_those_of_the_engine(provisioners: Any) -> None:
    cloudformation.install_resources({})

    vpc_id, attributes = provisioners._provision_resource("AWS::EC2::VPC", "Vpc", {"CidrBlock": "10.1.0.0/16"}, "s")

    assert attributes["CidrBlock"] == "10.1.0.0/16"
    assert attributes["VpcId"] == vpc_id
    assert attributes["DefaultNetworkAcl"].startswith("acl-")


@pytest.mark.parametrize("name", [EFS_FILE_SYSTEM, FSX_FILE_SYSTEM])
def test_tells_a_watcher_of_a_resource_from_its_beginning_to_its_end(provisioners: Any, name: str) -> None:
    events = Events()
    cloudformation.install_resources({name: events.watcher})

    resource_id, attributes = provisioners._provision_resource(name, "Files", {}, "stack")
    provisioners._update_resource(name, resource_id, {}, {"Note": "changed"}, "stack", "Files", attributes)
    provisioners._delete_resource(name, resource_id, {})

    assert events.seen == [("create", resource_id), ("update", resource_id), ("delete", resource_id)]


def test_lets_watchers_work_outside_of_the_loop_that_answers_requests(provisioners: Any) -> None:
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")
    cloudformation.install_resources({EFS_FILE_SYSTEM: Events().watcher})

    assert stacks._runs_on_worker_thread(EFS_FILE_SYSTEM)
    assert stacks._runs_on_worker_thread("Custom::Anything")
    assert not stacks._runs_on_worker_thread("AWS::S3::Bucket")


def test_resolves_the_outputs_of_a_stack_in_one_place() -> None:
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")
    handlers = importlib.import_module("ministack.services.cloudformation.handlers")

    assert list(inspect.signature(stacks._resolve_stack_outputs).parameters)[-2:] == ["stack_name", "stack_id"]
    assert "_resolve_stack_outputs(" in inspect.getsource(stacks._deploy_stack_async)
    assert list(inspect.signature(handlers._imported_export_names).parameters) == ["stack", "stack_name"]


def test_looks_up_who_makes_a_change_set_when_one_is_asked_for() -> None:
    formation = importlib.import_module("ministack.services.cloudformation")
    handlers = importlib.import_module("ministack.services.cloudformation.handlers")
    made = inspect.getsource(handlers._ACTION_HANDLERS["CreateChangeSet"])

    assert formation._ACTION_HANDLERS is handlers._ACTION_HANDLERS
    assert "_change_sets[cs_id] = change_set" in made
    assert '_cs_status, _cs_exec = "FAILED", "UNAVAILABLE"' in made
