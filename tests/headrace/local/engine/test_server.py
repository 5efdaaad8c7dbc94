"""A whole template of what the engine lacks, on a real local cloud."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.data_repositories import DataRepository, Policy
from headrace.local.engine.file_systems import list_folders
from headrace.local.engine.resources import MISSING_TYPES
from headrace.local.platform import inspection
from headrace.s3.addresses import S3Address
from tests.local_clouds import make_role, running_with_object

pytestmark = pytest.mark.slow

QUICKLY = {"Delay": 1, "MaxAttempts": 30}
VPC = {"Ref": "Vpc"}
SUBNET = {"Ref": "Subnet"}
GROUP = {"Fn::GetAtt": ["Group", "GroupId"]}
RULE = {"GroupId": GROUP, "IpProtocol": "tcp", "FromPort": 988, "ToPort": 988}
EVENTS = {"Events": ["NEW", "CHANGED", "DELETED"]}
RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "Vpc": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
    "Subnet": ("AWS::EC2::Subnet", {"VpcId": VPC, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1b"}),
    "Group": ("AWS::EC2::SecurityGroup", {"VpcId": VPC, "GroupDescription": "lustre"}),
    "Ingress": ("AWS::EC2::SecurityGroupIngress", {**RULE, "SourceSecurityGroupId": GROUP}),
    "Egress": ("AWS::EC2::SecurityGroupEgress", {**RULE, "DestinationSecurityGroupId": GROUP}),
    "FlowLog": ("AWS::EC2::FlowLog", {"ResourceId": VPC, "ResourceType": "VPC", "TrafficType": "ALL"}),
    "Address": ("AWS::EC2::EIP", {"Domain": "vpc"}),
    "Nat": (
        "AWS::EC2::NatGateway",
        {"AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}, "SubnetId": SUBNET},
    ),
    "Acl": ("AWS::EC2::NetworkAcl", {"VpcId": VPC}),
    "AclEntry": ("AWS::EC2::NetworkAclEntry", {"NetworkAclId": {"Ref": "Acl"}, "RuleNumber": 100, "Protocol": -1}),
    "AclUse": ("AWS::EC2::SubnetNetworkAclAssociation", {"NetworkAclId": {"Ref": "Acl"}, "SubnetId": SUBNET}),
    "MoreAddresses": ("AWS::EC2::VPCCidrBlock", {"VpcId": VPC, "CidrBlock": "10.1.0.0/16"}),
    "NoDefaults": (
        "Custom::VpcRestrictDefaultSG",
        {
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:restrict",
            "DefaultSecurityGroupId": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]},
        },
    ),
    "Efs": ("AWS::EFS::FileSystem", {"Encrypted": True}),
    "Target": ("AWS::EFS::MountTarget", {"FileSystemId": {"Ref": "Efs"}, "SubnetId": SUBNET}),
    "Fsx": (
        "AWS::FSx::FileSystem",
        {
            "FileSystemType": "LUSTRE",
            "StorageCapacity": 1200,
            "SubnetIds": [SUBNET],
            "LustreConfiguration": {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125},
        },
    ),
    "Link": (
        "AWS::FSx::DataRepositoryAssociation",
        {
            "FileSystemId": {"Ref": "Fsx"},
            "FileSystemPath": "/images",
            "DataRepositoryPath": "s3://raw/images/",
            "BatchImportMetaDataOnCreate": True,
            "S3": {"AutoImportPolicy": EVENTS},
        },
    ),
    "Provider": (
        "AWS::IAM::OIDCProvider",
        {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"]},
    ),
    "Budget": (
        "AWS::Budgets::Budget",
        {"Budget": {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": 200, "Unit": "USD"}}},
    ),
    "Fence": (
        "AWS::WAFv2::WebACLAssociation",
        {"ResourceArn": "arn:aws:apigateway:us-east-1::/restapis/a/stages/v1", "WebACLArn": "arn:aws:wafv2:acl"},
    ),
    "Scripts": ("AWS::SageMaker::NotebookInstanceLifecycleConfig", {}),
    "Versions": ("AWS::SageMaker::ModelPackageGroup", {}),
    "Code": ("AWS::SageMaker::CodeRepository", {"GitConfig": {"RepositoryUrl": "https://example.com/a.git"}}),
    "Notebook": (
        "AWS::SageMaker::NotebookInstance",
        {
            "InstanceType": "ml.t3.medium",
            "RoleArn": "arn:aws:iam::000000000000:role/notebook",
            "LifecycleConfigName": {"Fn::GetAtt": ["Scripts", "NotebookInstanceLifecycleConfigName"]},
            "DefaultCodeRepository": {"Fn::GetAtt": ["Code", "CodeRepositoryName"]},
        },
    ),
}
ATTRIBUTES = {
    "VpcBlock": ("Vpc", "CidrBlock"),
    "VpcAcl": ("Vpc", "DefaultNetworkAcl"),
    "SubnetZone": ("Subnet", "AvailabilityZone"),
    "EfsArn": ("Efs", "Arn"),
    "MountName": ("Fsx", "LustreMountName"),
    "DnsName": ("Fsx", "DNSName"),
}


def write_template(**changes: dict[str, Any]) -> str:
    resources = {
        name: {"Type": kind, "Properties": {**properties, **changes.get(name, {})}}
        for name, (kind, properties) in RESOURCES.items()
    }
    outputs: dict[str, Any] = {name: {"Value": {"Fn::GetAtt": list(path)}} for name, path in ATTRIBUTES.items()}
    outputs["Blocks"] = {"Value": {"Fn::Join": [",", {"Fn::GetAtt": ["Vpc", "CidrBlockAssociations"]}]}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


class Stack:
    """The template on a local cloud."""

    name = "everything"

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.api: Any = boto3.client("cloudformation")

    def create(self) -> None:
        self.api.create_stack(StackName=self.name, TemplateBody=write_template())
        self._wait("stack_create_complete")

    def update(self, **changes: dict[str, Any]) -> None:
        self.api.update_stack(StackName=self.name, TemplateBody=write_template(**changes))
        self._wait("stack_update_complete")

    def change(self, template: str) -> None:
        """Update by a change set, as CDK does."""
        named = {"StackName": self.name, "ChangeSetName": f"change-{uuid.uuid4()}"}
        self.api.create_change_set(**named, TemplateBody=template)
        self.api.get_waiter("change_set_create_complete").wait(**named, WaiterConfig=QUICKLY)
        self.api.execute_change_set(**named)
        self._wait("stack_update_complete")

    def delete(self) -> None:
        self.api.delete_stack(StackName=self.name)
        self._wait("stack_delete_complete")

    def outputs(self) -> dict[str, str]:
        (stack,) = self.api.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def ids(self) -> dict[str, str]:
        resources = self.api.describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def _wait(self, waiter: str) -> None:
        self.api.get_waiter(waiter).wait(StackName=self.name, WaiterConfig=QUICKLY)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running_with_object(tmp_path_factory.mktemp("cloud"), "images/a.jpg", b"1") as started:
        yield started


@pytest.fixture
def stack(cloud: LocalCloud) -> Iterator[Stack]:
    stack = Stack(cloud)
    stack.create()
    yield stack
    stack.delete()


def test_deploys_every_type_and_attribute_that_the_engine_lacks(stack: Stack) -> None:
    outputs = stack.outputs()

    assert {kind for kind, _ in RESOURCES.values()} > {missing.name for missing in MISSING_TYPES}
    assert set(stack.ids()) == set(RESOURCES)
    assert outputs["VpcBlock"] == "10.0.0.0/16"
    assert outputs["SubnetZone"] == "us-east-1b"
    assert outputs["DnsName"] == f"{stack.ids()['Fsx']}.fsx.us-east-1.amazonaws.com"


def test_answers_about_the_lustre_file_systems_of_templates(stack: Stack) -> None:
    (found,) = boto3.client("fsx").describe_file_systems(FileSystemIds=[stack.ids()["Fsx"]])["FileSystems"]

    assert (found["Lifecycle"], found["StorageCapacity"]) == ("AVAILABLE", 1200)
    assert found["LustreConfiguration"]["MountName"] == stack.outputs()["MountName"]


def test_makes_and_shows_a_folder_for_each_file_system(stack: Stack) -> None:
    ids = stack.ids()

    folders = list_folders(stack.cloud.root)

    assert set(folders) == {ids["Efs"], ids["Fsx"]}
    assert inspection.look_around(stack.cloud.root)["file systems"] == [
        {"name": name, "status": str(folder)} for name, folder in folders.items()
    ]


def test_removes_the_folders_with_the_stack(cloud: LocalCloud) -> None:
    stack = Stack(cloud)
    stack.create()
    assert list_folders(cloud.root)

    stack.delete()

    assert list_folders(cloud.root) == {}


def test_takes_new_outputs_alone_for_a_change_and_nothing_new_for_none(stack: Stack) -> None:
    template = json.loads(write_template())
    template["Outputs"]["More"] = {"Value": "new"}

    stack.change(json.dumps(template))

    assert stack.outputs()["More"] == "new"
    with pytest.raises(WaiterError, match="FAILED"):
        stack.change(json.dumps(template))


PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "any"}}


def write_producer(**exports: str) -> str:
    outputs = {name: {"Value": value, "Export": {"Name": f"shared-{name}"}} for name, value in exports.items()}
    return json.dumps({"Resources": {"Any": PARAMETER}, "Outputs": {"Own": {"Value": "any"}, **outputs}})


def write_consumer(value: Any) -> str:
    return json.dumps({"Resources": {"Any": {**PARAMETER, "Properties": {"Type": "String", "Value": value}}}})


class NamedStack(Stack):
    """A test's own template, under another name."""

    def __init__(self, cloud: LocalCloud, name: str, template: str) -> None:
        super().__init__(cloud)
        self.name = name
        self.api.create_stack(StackName=name, TemplateBody=template)
        self._wait("stack_create_complete")

    def reasons(self) -> set[str]:
        events = self.api.describe_stack_events(StackName=self.name)["StackEvents"]
        return {event["ResourceStatusReason"] for event in events if event.get("ResourceStatusReason")}


@pytest.fixture
def producer(cloud: LocalCloud) -> Iterator[NamedStack]:
    """A stack that exports `key`, which another one imports."""
    producer = NamedStack(cloud, "producer", write_producer(Key="first"))
    consumer = NamedStack(cloud, "consumer", write_consumer({"Fn::ImportValue": "shared-Key"}))
    yield producer
    consumer.delete()
    producer.delete()


@pytest.mark.parametrize(("exports", "verb"), [({}, "deleted"), ({"Key": "second"}, "updated")])
def test_refuses_an_update_of_an_export_that_is_in_use(
    producer: NamedStack, exports: dict[str, str], verb: str
) -> None:
    with pytest.raises(WaiterError):
        producer.change(write_producer(**exports))

    assert f"Export shared-Key cannot be {verb} as it is in use by consumer" in producer.reasons()
    assert producer.outputs()["Key"] == "first"


def test_forgets_an_export_that_nobody_imports_any_more(cloud: LocalCloud, producer: NamedStack) -> None:
    other = NamedStack(cloud, "another-producer", write_producer(Other="first"))

    other.change(write_producer())

    assert [e["Name"] for e in other.api.list_exports()["Exports"]] == ["shared-Key"]
    other.delete()


def test_keeps_the_other_resources_when_one_is_replaced(stack: Stack) -> None:
    before = stack.ids()

    stack.update(FlowLog={"TrafficType": "REJECT"}, Fsx={"StorageCapacity": 2400})

    after = stack.ids()
    assert {name for name in before if before[name] != after[name]} == {"FlowLog"}


def test_refuses_a_stack_whose_association_names_no_file_system(cloud: LocalCloud) -> None:
    api: Any = boto3.client("cloudformation")
    link = {"Type": "AWS::FSx::DataRepositoryAssociation", "Properties": {"FileSystemId": "fs-0123456789abcdef0"}}

    api.create_stack(StackName="wrong", TemplateBody=json.dumps({"Resources": {"Link": link}}))
    with pytest.raises(WaiterError):
        api.get_waiter("stack_create_complete").wait(StackName="wrong", WaiterConfig=QUICKLY)

    reasons = [
        event.get("ResourceStatusReason", "")
        for event in api.describe_stack_events(StackName="wrong")["StackEvents"]
        if event["LogicalResourceId"] == "Link"
    ]
    assert any("File system fs-0123456789abcdef0 does not exist" in reason for reason in reasons)


def test_agrees_with_the_engine_on_what_an_unchanged_object_is(cloud: LocalCloud, tmp_path: Path) -> None:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="linked")
    s3.put_object(Bucket="linked", Key="data/a.txt", Body=b"1")
    events = frozenset({"NEW", "CHANGED", "DELETED"})
    repository = DataRepository(
        s3=s3,
        folder=tmp_path / "data",
        source=S3Address("linked", "data/"),
        policy=Policy(imported=events, exported=events),
        record=tmp_path / "record.json",
    )
    repository.take_inventory(import_all=True)
    repository.import_changes(tmp_path / "data", lambda: None)
    (tmp_path / "data/a.txt").write_text("2")
    (tmp_path / "data/b.txt").write_text("3")

    repository.export_changes(tmp_path / "data")
    stamps = [(tmp_path / "data" / name).stat().st_mtime_ns for name in ("a.txt", "b.txt")]
    repository.import_changes(tmp_path / "data", lambda: None)

    assert s3.get_object(Bucket="linked", Key="data/a.txt")["Body"].read() == b"2"
    assert [(tmp_path / "data" / name).stat().st_mtime_ns for name in ("a.txt", "b.txt")] == stamps


@pytest.fixture(scope="module")
def machine(cloud: LocalCloud) -> str:
    """A state machine that waits as long as its input says."""
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}}}
    made = boto3.client("stepfunctions").create_state_machine(
        name="machine", definition=json.dumps(definition), roleArn=make_role("machine", trusted="states.amazonaws.com")
    )
    return str(made["stateMachineArn"])


def refuse(operation: str, **request: Any) -> str:
    """The code of Step Functions' error."""
    with pytest.raises(ClientError) as refused:
        getattr(boto3.client("stepfunctions"), operation)(**request)
    return str(refused.value.response["Error"]["Code"])


def test_refuses_executions_that_aws_would_refuse(machine: str) -> None:
    for request, code in (
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"name": "a b", "input": "{}"}, "InvalidName"),
        ({"name": "a" * 81, "input": "{}"}, "ValidationException"),
    ):
        assert refuse("start_execution", stateMachineArn=machine, **request) == code


def test_starts_an_execution_once_however_often_it_is_asked(machine: str) -> None:
    states: Any = boto3.client("stepfunctions")
    request = {"stateMachineArn": machine, "name": "once", "input": '{"seconds": 100000}'}

    first = states.start_execution(**request)
    again = states.start_execution(**request)

    assert (first["executionArn"], first["startDate"]) == (again["executionArn"], again["startDate"])
    assert refuse("start_execution", **request | {"input": "{}"}) == "ExecutionAlreadyExists"
    states.stop_execution(executionArn=first["executionArn"], error="Test")
    assert refuse("start_execution", **request) == "ExecutionAlreadyExists"


def test_leaves_an_execution_that_has_ended_as_it_is_when_it_is_stopped(machine: str) -> None:
    states: Any = boto3.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, input='{"seconds": 0}')["executionArn"]
    while (ended := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.05)

    answer = states.stop_execution(executionArn=arn, error="Late")

    assert answer["stopDate"] == ended["stopDate"]
    assert states.describe_execution(executionArn=arn)["status"] == ended["status"] == "SUCCEEDED"


def test_encrypts_with_the_key_of_s3_when_a_request_asks_for_kms_and_names_none(cloud: LocalCloud) -> None:
    s3: Any = boto3.client("s3")
    given = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    kms = {"Bucket": "raw", "ServerSideEncryption": "aws:kms"}

    put = s3.put_object(**kms, Key="kms/put", Body=b"1")
    copied = s3.copy_object(**kms, Key="kms/copied", CopySource="raw/kms/put")
    upload = s3.create_multipart_upload(**kms, Key="kms/parts")
    named = s3.put_object(**kms, Key="kms/named", Body=b"1", SSEKMSKeyId=given)

    key = put["SSEKMSKeyId"]
    assert key.startswith("arn:aws:kms:us-east-1:000000000000:key/")
    assert [answer["SSEKMSKeyId"] for answer in (copied, upload, named)] == [key, key, given]
    assert s3.head_object(Bucket="raw", Key="kms/put")["SSEKMSKeyId"] == key
