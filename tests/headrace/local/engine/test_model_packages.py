"""Versions of models on a real local cloud: groups of templates, and what an approval leads to."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError
from click.testing import CliRunner

from headrace.cli import cli
from headrace.cli.pipeline_options import Target
from headrace.local.engine.brought_container_images import bring_python
from tests.local_clouds import allow, make_role, running_with_object
from tests.patience import wait_until

pytestmark = pytest.mark.slow

GROUP = "headrace-dev-sales"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/sales:1"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:deploy"
QUICKLY = {"Delay": 1, "MaxAttempts": 30}
DETAIL = {
    "ModelPackageGroupName": [GROUP],
    "ModelApprovalStatus": ["Approved"],
    "UpdatedModelPackageFields": ["ModelApprovalStatus"],
}


def write_template(group: str, *tags: tuple[str, str]) -> str:
    """A group, and a rule that hands each version that was approved to a state machine."""
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"], "detail": DETAIL}
    target = {
        "Id": "machine",
        "Arn": MACHINE,
        "RoleArn": "arn:aws:iam::000000000000:role/events",
        "InputTransformer": {
            "InputPathsMap": {"arn": "$.detail.ModelPackageArn"},
            "InputTemplate": '{"ModelPackageArn":<arn>}',
        },
    }
    properties = {"ModelPackageGroupName": group, "Tags": [{"Key": key, "Value": value} for key, value in tags]}
    resources = {
        "Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": [target]}},
    }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


class Stack:
    """The template on a local cloud, with a group of the stack's name."""

    def __init__(self, name: str) -> None:
        self.api: Any = boto3.client("cloudformation")
        self.name = name

    def create(self) -> str:
        """Deploy it; the ARN of its group."""
        self.api.create_stack(StackName=self.name, TemplateBody=write_template(self.name, ("team", "ml")))
        self._wait("stack_create_complete")
        (stack,) = self.api.describe_stacks(StackName=self.name)["Stacks"]
        return str(stack["Outputs"][0]["OutputValue"])

    def tag(self, *tags: tuple[str, str]) -> None:
        self.api.update_stack(StackName=self.name, TemplateBody=write_template(self.name, *tags))
        self._wait("stack_update_complete")

    def delete(self) -> None:
        self.api.delete_stack(StackName=self.name)
        self._wait("stack_delete_complete")

    def _wait(self, name: str) -> None:
        self.api.get_waiter(name).wait(StackName=self.name, WaiterConfig=QUICKLY)


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The ARN of the template's group."""
    root = tmp_path_factory.mktemp("cloud")
    bring_python(root, IMAGE, Path(sys.executable), None)
    with running_with_object(root, "model.tar.gz", b"model"):
        role = make_role("states", trusted="states.amazonaws.com")
        make_role("events", allow("states:StartExecution", on=MACHINE), trusted="events.amazonaws.com")
        served = {"Type": "Pass", "Result": {"Outcome": "SERVING"}, "End": True}
        definition = {"StartAt": "Serve", "States": {"Serve": served}}
        states: Any = boto3.client("stepfunctions")
        states.create_state_machine(name="deploy", definition=json.dumps(definition), roleArn=role)
        yield Stack(GROUP).create()


@pytest.fixture
def sagemaker(group: str) -> Any:
    assert group
    return boto3.client("sagemaker")


def register(sagemaker: Any, group: str = GROUP, **changes: Any) -> str:
    containers = [{"Image": IMAGE, "ModelDataUrl": "s3://raw/model.tar.gz"}]
    made = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification={"Containers": containers}, **changes
    )
    return str(made["ModelPackageArn"])


def list_inputs() -> list[dict[str, str]]:
    """What the state machine has been started with, the latest first."""
    states: Any = boto3.client("stepfunctions")
    arns = [execution["executionArn"] for execution in states.list_executions(stateMachineArn=MACHINE)["executions"]]
    return [json.loads(states.describe_execution(executionArn=arn)["input"]) for arn in arns]


def test_a_template_makes_a_group_and_tags_it(sagemaker: Any, group: str) -> None:
    assert group == f"arn:aws:sagemaker:us-east-1:000000000000:model-package-group/{GROUP}"
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)["ModelPackageGroupArn"] == group
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [{"Key": "team", "Value": "ml"}]

    Stack(GROUP).tag(("stage", "dev"))

    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [{"Key": "stage", "Value": "dev"}]


def test_an_approval_starts_what_a_rule_says_and_nothing_else_does(sagemaker: Any) -> None:
    made = register(sagemaker, ModelApprovalStatus="Approved")
    rejected, approved = register(sagemaker), register(sagemaker)
    sagemaker.update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")
    sagemaker.update_model_package(ModelPackageArn=rejected, CustomerMetadataProperties={"looked": "at"})

    sagemaker.update_model_package(ModelPackageArn=approved, ModelApprovalStatus="Approved")

    # Events come one after the other, so whatever the others had started would be there.
    wait_until(lambda: {"ModelPackageArn": approved} in list_inputs())
    assert {"ModelPackageArn": rejected} not in list_inputs()
    assert {"ModelPackageArn": made} not in list_inputs()


def test_a_command_waits_until_an_approved_version_serves(sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "group", GROUP)
    monkeypatch.setattr(Target, "find_machine", lambda _: MACHINE)
    monkeypatch.setattr(Target, "use_clients", lambda _: None)
    number = register(sagemaker).rpartition("/")[2]

    done = CliRunner().invoke(cli, ["pipeline", "approve", number, "--wait", "--reason", "good"])

    assert (done.exit_code, done.stdout) == (0, "SERVING\n")
    described = sagemaker.describe_model_package(ModelPackageName=f"{GROUP}/{number}")
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good")


def test_says_which_container_image_a_version_serves(sagemaker: Any) -> None:
    described = sagemaker.describe_model_package(ModelPackageName=register(sagemaker))

    assert described["InferenceSpecification"]["Containers"][0]["ImageDigest"].startswith("sha256:")


def test_a_stack_keeps_a_group_that_has_versions(sagemaker: Any) -> None:
    stack = Stack("another")
    stack.create()
    arn = register(sagemaker, "another")

    with pytest.raises(WaiterError):
        stack.delete()

    sagemaker.delete_model_package(ModelPackageName=arn)
    stack.delete()
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName="another")
