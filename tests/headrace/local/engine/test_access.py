"""IAM on a real local cloud: what policies do not allow is refused, by whatever way it is asked for."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from headrace.cli.summary import render_calls
from headrace.local.calls import read_calls
from headrace.local.engine import ministack
from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.calls import NoSuchRoleError, review_calls
from tests.local_clouds import ROLES, Statement, allow, assume, make_role, running_with_object
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

ACCOUNT = "000000000000"
SAGEMAKER = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
IMAGE = "image"
NETWORK = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
VARIANT = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def passing(role: str, service: str = "sagemaker.amazonaws.com") -> Statement:
    return allow("iam:PassRole", on=f"{ROLES}/{role}", StringEquals={"iam:PassedToService": service})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with an object, an image, and roles that may do little."""
    with running_with_object(tmp_path_factory.mktemp("cloud"), "in/a.txt", b"rows") as started:
        bring_python(started.root, IMAGE, Path(sys.executable), None)
        boto3.client("s3").put_object(Bucket="raw", Key="secret.txt", Body=b"secret")
        make_role("reader", allow("s3:GetObject", on="arn:aws:s3:::raw/in/*"), allow("sagemaker:ListModels"))
        make_role("bare")
        yield started


@pytest.fixture(scope="module")
def reader(cloud: LocalCloud) -> Any:
    """Somebody who may read a prefix and list models."""
    assert cloud
    return assume("reader")


def job(name: str, role: str, *program: str, **changes: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "RoleArn": f"{ROLES}/{role}",
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": [sys.executable, "-c", *program]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    } | changes


def model(role: str = "bare") -> dict[str, Any]:
    return {"ModelName": "m", "ExecutionRoleArn": f"{ROLES}/{role}", "PrimaryContainer": {"Image": IMAGE}}


TRAINING = {
    "TrainingJobName": "t",
    "RoleArn": f"{ROLES}/bare",
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://raw/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
FUNCTION = {
    "FunctionName": "f",
    "Runtime": "python3.11",
    "Handler": "a.b",
    "Role": f"{ROLES}/bare",
    "Code": {"ZipFile": b"x"},
}
# Service, operation and arguments of calls that the reader may not make.
DENIED: list[tuple[str, str, Mapping[str, Any]]] = [
    ("s3", "GetObject", {"Bucket": "raw", "Key": "secret.txt"}),
    ("s3", "GetObjectTagging", {"Bucket": "raw", "Key": "in/a.txt"}),
    ("s3", "HeadObject", {"Bucket": "raw", "Key": "secret.txt"}),
    ("s3", "PutObject", {"Bucket": "raw", "Key": "in/a.txt", "Body": b"x"}),
    ("s3", "DeleteObject", {"Bucket": "raw", "Key": "in/a.txt"}),
    ("s3", "DeleteObjects", {"Bucket": "raw", "Delete": {"Objects": [{"Key": "in/a.txt"}]}}),
    ("s3", "CopyObject", {"Bucket": "raw", "Key": "in/b", "CopySource": "raw/in/a.txt"}),
    ("s3", "CreateMultipartUpload", {"Bucket": "raw", "Key": "in/b"}),
    ("s3", "ListObjectsV2", {"Bucket": "raw", "Prefix": "in/"}),
    ("s3", "ListBuckets", {}),
    ("s3", "CreateBucket", {"Bucket": "mine"}),
    ("s3", "DeleteBucket", {"Bucket": "raw"}),
    ("s3", "PutBucketPolicy", {"Bucket": "raw", "Policy": "{}"}),
    ("s3", "GetBucketPolicy", {"Bucket": "raw"}),
    ("sagemaker", "CreateProcessingJob", job("p", "bare", "0")),
    ("sagemaker", "CreateTrainingJob", TRAINING),
    ("sagemaker", "CreateModel", model()),
    ("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]}),
    ("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
    ("sagemaker", "UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
    ("sagemaker", "DeleteEndpoint", {"EndpointName": "e"}),
    ("sagemaker", "DeleteModel", {"ModelName": "m"}),
    ("sagemaker", "DescribeModel", {"ModelName": "m"}),
    ("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}),
    ("sagemaker", "DescribeTrainingJob", {"TrainingJobName": "t"}),
    ("sagemaker", "StopProcessingJob", {"ProcessingJobName": "p"}),
    ("sagemaker", "ListEndpoints", {}),
    ("sagemaker", "ListTags", {"ResourceArn": f"{SAGEMAKER}:model/m"}),
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": b"1"}),
    ("stepfunctions", "CreateStateMachine", {"name": "m", "definition": MACHINE, "roleArn": f"{ROLES}/bare"}),
    ("stepfunctions", "ListStateMachines", {}),
    (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:machine"},
    ),
    (
        "stepfunctions",
        "DescribeExecution",
        {"executionArn": f"arn:aws:states:us-east-1:{ACCOUNT}:execution:machine:one"},
    ),
    ("lambda", "CreateFunction", FUNCTION),
    ("lambda", "Invoke", {"FunctionName": "f"}),
    ("lambda", "ListFunctions", {}),
    ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Role": f"{ROLES}/reader"}),
    ("iam", "ListRoles", {}),
    ("iam", "CreateUser", {"UserName": "eve"}),
    ("iam", "PutRolePolicy", {"RoleName": "reader", "PolicyName": "q", "PolicyDocument": POLICY}),
    ("iam", "AttachRolePolicy", {"RoleName": "reader", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ("iam", "CreateAccessKey", {"UserName": "owner"}),
    ("sts", "AssumeRole", {"RoleArn": f"{ROLES}/bare", "RoleSessionName": "two"}),
    ("kms", "CreateKey", {}),
    ("kms", "ListKeys", {}),
    ("ecr", "CreateRepository", {"repositoryName": "mine"}),
    ("ecr", "DescribeRepositories", {}),
    ("ecr", "GetAuthorizationToken", {}),
    ("logs", "CreateLogGroup", {"logGroupName": "g"}),
    ("logs", "DescribeLogGroups", {}),
    ("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}),
    ("cloudwatch", "DescribeAlarms", {}),
    ("ec2", "DescribeVpcs", {}),
    ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}),
    ("cloudformation", "DescribeStacks", {}),
    ("cloudformation", "CreateStack", {"StackName": "s", "TemplateBody": "{}"}),
    ("sns", "ListTopics", {}),
    ("sqs", "CreateQueue", {"QueueName": "q"}),
    ("events", "PutRule", {"Name": "r", "ScheduleExpression": "rate(1 day)"}),
    ("ssm", "GetParameter", {"Name": "p"}),
    ("secretsmanager", "ListSecrets", {}),
    ("dynamodb", "ListTables", {}),
]


@cache
def open_client(session: Any, service: str) -> Any:
    return session.client(service)


def call(session: Any, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
    return getattr(open_client(session, service), xform_name(operation))(**arguments)


@pytest.mark.parametrize(
    ("service", "operation", "arguments"), DENIED, ids=[f"{service} {operation}" for service, operation, _ in DENIED]
)
def test_refuses_what_no_policy_allows(reader: Any, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
    with pytest.raises(ClientError) as refusal:
        call(reader, service, operation, arguments)

    error = refusal.value.response["Error"]
    if operation == "HeadObject":
        assert error["Code"] == "403"
        return
    assert error["Code"] in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
    assert "assumed-role/reader/one is not authorized to perform: " in error["Message"]
    assert " on resource: " in error["Message"]


def test_has_fifty_calls_that_are_refused() -> None:
    assert len(DENIED) >= 50


def test_lets_a_role_do_what_its_policy_allows(reader: Any) -> None:
    assert reader.client("s3").get_object(Bucket="raw", Key="in/a.txt")["Body"].read() == b"rows"
    assert reader.client("sagemaker").list_models(NameContains="nothing")["Models"] == []


def test_makes_the_owner_an_administrator_and_no_key_root(cloud: LocalCloud) -> None:
    iam: Any = boto3.client("iam")

    assert boto3.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/owner"
    iam.detach_user_policy(UserName="owner", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.update_access_key(UserName="owner", AccessKeyId=cloud.key.key_id, Status="Inactive")
    assert boto3.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/owner"
    assert "owner" in {user["UserName"] for user in iam.list_users()["Users"]}


def test_refuses_what_a_condition_says_that_it_does_not_know(cloud: LocalCloud) -> None:
    assert cloud
    odd = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*", "Condition": {"StringNearly": {"a": "b"}}}
    make_role("odd", allow("sqs:*", "sns:*"), odd)

    with pytest.raises(ClientError, match="AccessDenied"):
        assume("odd").client("sqs").list_queues()
    assert assume("odd").client("sns").list_topics()["Topics"] == []


@pytest.mark.parametrize("condition", [{}, {"service": "lambda.amazonaws.com"}])
def test_refuses_to_pass_a_role_that_the_caller_may_not_pass(cloud: LocalCloud, condition: dict[str, str]) -> None:
    assert cloud
    name = f"passer{len(condition)}"
    passed = [passing("bare", **condition)] if condition else []
    make_role(name, allow("sagemaker:*", "states:*"), *passed)
    session = assume(name)

    for service, operation, arguments in (
        ("sagemaker", "CreateProcessingJob", job("p", "bare", "0")),
        ("sagemaker", "CreateModel", model()),
        ("stepfunctions", "CreateStateMachine", {"name": "m", "definition": MACHINE, "roleArn": f"{ROLES}/bare"}),
    ):
        with pytest.raises(ClientError, match=f"not authorized to perform: iam:PassRole on resource: {ROLES}/bare"):
            call(session, service, operation, arguments)


def test_refuses_a_role_that_does_not_trust_the_service_that_is_to_assume_it(cloud: LocalCloud) -> None:
    assert cloud
    make_role("of-functions", trusted="lambda.amazonaws.com")
    machine = {"name": "m", "definition": MACHINE, "roleArn": f"{ROLES}/of-functions"}

    with pytest.raises(ClientError, match=r"Could not assume role .*role/of-functions\. Please ensure"):
        boto3.client("sagemaker").create_model(**model("of-functions"))
    with pytest.raises(ClientError, match=r"Could not assume role .*role/absent\. Please ensure"):
        boto3.client("sagemaker").create_processing_job(**job("p", "absent", "0"))
    with pytest.raises(ClientError, match=r"states\.amazonaws\.com, nor the regional one is authorized to assume"):
        boto3.client("stepfunctions").create_state_machine(**machine)
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        boto3.client("lambda").create_function(**FUNCTION)


def test_fails_a_stack_whose_machine_gets_a_role_that_does_not_trust_it(cloud: LocalCloud) -> None:
    assert cloud
    properties = {"RoleArn": f"{ROLES}/bare", "DefinitionString": MACHINE}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    formation: Any = boto3.client("cloudformation")
    formation.create_stack(StackName="distrusted", TemplateBody=json.dumps(template), OnFailure="DO_NOTHING")

    deadline = time.monotonic() + PATIENCE_SECONDS
    while (stack := formation.describe_stacks(StackName="distrusted")["Stacks"][0])["StackStatus"].endswith("PROGRESS"):
        assert time.monotonic() < deadline

    assert stack["StackStatus"] == "CREATE_FAILED"
    events = formation.describe_stack_events(StackName="distrusted")["StackEvents"]
    assert any("authorized to assume the provided role" in event.get("ResourceStatusReason", "") for event in events)


def run_job(request: dict[str, Any]) -> dict[str, Any]:
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.create_processing_job(**request)
    named = {"ProcessingJobName": request["ProcessingJobName"]}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (described := sagemaker.describe_processing_job(**named))["ProcessingJobStatus"] in (
        "InProgress",
        "Stopping",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(described)


def read_lines(job_name: str) -> list[str]:
    group = "/aws/sagemaker/ProcessingJobs"
    events = boto3.client("logs").filter_log_events(logGroupName=group, logStreamNamePrefix=job_name)["events"]
    return [event["message"] for event in events]


def put_in(key: str) -> list[dict[str, Any]]:
    source = {
        "S3Uri": f"s3://raw/{key}",
        "LocalPath": "/opt/ml/processing/in",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return [{"InputName": "in", "S3Input": source}]


def test_runs_a_job_as_its_role(cloud: LocalCloud) -> None:
    make_role("works", allow(*LOGS))

    described = run_job(job("works", "works", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"))

    assert described["ProcessingJobStatus"] == "Completed", described
    assert read_lines("works")[-1] == f"arn:aws:sts::{ACCOUNT}:assumed-role/works/SageMaker"
    assert {call.action for call in read_calls(cloud.root) if call.role == "works"} >= set(LOGS)


@pytest.mark.parametrize(
    ("name", "statements", "action"),
    [
        ("lists-nothing", [], "s3:ListBucket"),
        ("reads-nothing", [allow("s3:ListBucket")], "s3:GetObject"),
        ("writes-nothing", [allow("s3:ListBucket", "s3:GetObject", "s3:AbortMultipartUpload")], "s3:PutObject"),
    ],
)
def test_fails_a_job_whose_role_lacks_its_data(
    cloud: LocalCloud, name: str, statements: list[Statement], action: str
) -> None:
    assert cloud
    make_role(name, allow(*LOGS), *statements)
    folder = "/opt/ml/processing/out"
    stored = {"S3Uri": "s3://raw/out", "LocalPath": folder, "S3UploadMode": "EndOfJob"}
    program = "import os, pathlib; pathlib.Path(os.environ['HEADRACE_ML_ROOT'], 'processing/out/x').write_text('x')"
    outputs = {"Outputs": [{"OutputName": "out", "S3Output": stored}]}

    described = run_job(job(name, name, program, ProcessingInputs=put_in("in/"), ProcessingOutputConfig=outputs))

    assert described["ProcessingJobStatus"] == "Failed"
    assert f"is not authorized to perform: {action} on resource" in described["FailureReason"]


def test_runs_a_job_whose_role_may_not_publish_metrics_and_notes_what_it_lacks(cloud: LocalCloud) -> None:
    make_role("without-metrics", allow(*LOGS))

    described = run_job(job("without-metrics", "without-metrics", "0"))

    assert described["ProcessingJobStatus"] == "Completed", described
    denied = {call.action for call in read_calls(cloud.root) if call.role == "without-metrics" and not call.is_allowed}
    assert denied == {"cloudwatch:PutMetricData", "logs:DescribeLogStreams"}


def test_calls_a_missing_object_forbidden_to_who_may_not_list_the_bucket(cloud: LocalCloud, reader: Any) -> None:
    assert cloud
    make_role(
        "lister", allow("s3:GetObject", on="arn:aws:s3:::raw/in/*"), allow("s3:ListBucket", on="arn:aws:s3:::raw")
    )
    absent = {"Bucket": "raw", "Key": "in/absent.txt"}

    with pytest.raises(ClientError, match=r"perform: s3:ListBucket on resource: arn:aws:s3:::raw\b"):
        reader.client("s3").get_object(**absent)
    with pytest.raises(ClientError, match="NoSuchKey"):
        assume("lister").client("s3").get_object(**absent)


def test_refuses_a_processing_job_in_a_network_whose_role_is_limited_to_that_network(cloud: LocalCloud) -> None:
    assert cloud
    interfaces = f"arn:aws:ec2:us-east-1:{ACCOUNT}:network-interface/*"
    make_role("scoped", allow("ec2:Describe*"), allow("ec2:*", on=interfaces))
    make_role("unscoped", allow(*LOGS, "ec2:*"))

    with pytest.raises(ClientError, match=r"perform: ec2:CreateNetworkInterface on resource: \*"):
        run_job(job("scoped", "scoped", "0", NetworkConfig={"VpcConfig": NETWORK}))
    assert run_job(job("unscoped", "unscoped", "0", NetworkConfig={"VpcConfig": NETWORK}))


def test_keeps_an_encrypted_object_from_those_who_may_not_use_its_key(cloud: LocalCloud) -> None:
    assert cloud
    formation: Any = boto3.client("cloudformation")
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "Key"}}}
    bucket = {"BucketName": "locked", "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]}}
    statement = {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    key = {"KeyPolicy": {"Version": "2012-10-17", "Statement": [statement]}}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": key},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket},
    }
    formation.create_stack(StackName="locked", TemplateBody=json.dumps({"Resources": resources}))
    formation.get_waiter("stack_create_complete").wait(
        StackName="locked", WaiterConfig={"Delay": 0.05, "MaxAttempts": 2_000}
    )
    boto3.client("s3").put_object(Bucket="locked", Key="a", Body=b"a")
    make_role("keyless", allow("s3:*"))
    make_role("reading-key", allow("s3:*", "kms:Decrypt"))

    with pytest.raises(ClientError, match="perform: kms:Decrypt on resource: arn:aws:kms"):
        assume("keyless").client("s3").get_object(Bucket="locked", Key="a")
    reading = assume("reading-key").client("s3")
    assert reading.get_object(Bucket="locked", Key="a")["Body"].read() == b"a"
    with pytest.raises(ClientError, match="perform: kms:GenerateDataKey on resource: arn:aws:kms"):
        reading.put_object(Bucket="locked", Key="b", Body=b"b")


def test_refuses_an_endpoint_with_a_key_that_the_caller_may_not_grant(cloud: LocalCloud) -> None:
    assert cloud
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.create_model(**{**model(), "ModelName": "keyed"})
    variants = [{**VARIANT, "ModelName": "keyed"}]
    sagemaker.create_endpoint_config(EndpointConfigName="keyed", ProductionVariants=variants, KmsKeyId=key)
    make_role("server", allow("sagemaker:CreateEndpoint"), allow("kms:DescribeKey", on=key))

    with pytest.raises(ClientError, match=f"perform: kms:CreateGrant on resource: {key}"):
        assume("server").client("sagemaker").create_endpoint(EndpointName="keyed", EndpointConfigName="keyed")


def execute(name: str, task: dict[str, Any], *statements: Statement) -> dict[str, Any]:
    role = make_role(name, *statements, trusted="states.amazonaws.com")
    states: Any = boto3.client("stepfunctions")
    definition = {"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Task", "End": True, **task}}}
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    arn = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(execution)


def sagemaker_task(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"Resource": f"arn:aws:states:::sagemaker:{operation}", "Arguments": arguments}


def sdk_task(operation: str, **arguments: Any) -> dict[str, Any]:
    return {"Resource": f"arn:aws:states:::aws-sdk:{operation}", "Arguments": arguments}


WAITED_FOR = job("waited-for", "works", "0")
WAITING = tuple(
    f"sagemaker:{verb}" for verb in ("CreateProcessingJob", "DescribeProcessingJob", "ListTags", "StopProcessingJob")
)


@pytest.mark.parametrize(
    ("name", "task", "statements", "error", "action"),
    [
        ("creates", sagemaker_task("createModel", model()), [], "SageMaker.AmazonSageMaker", "sagemaker:CreateModel"),
        (
            "passes",
            sagemaker_task("createModel", model()),
            [allow("sagemaker:CreateModel")],
            "SageMaker.AmazonSageMaker",
            "iam:PassRole",
        ),
        (
            "waits",
            sagemaker_task("createProcessingJob.sync", WAITED_FOR),
            [allow(*WAITING), passing("works")],
            "SageMaker.AmazonSageMaker",
            "events:DescribeRule",
        ),
        ("describes", sdk_task("sagemaker:describeModel", ModelName="m"), [], "SageMaker.SageMaker", "sagemaker:Desc"),
        ("lists", sdk_task("s3:listObjectsV2", Bucket="raw"), [], "S3.AccessDenied", "s3:ListBucket"),
        ("queries", sdk_task("iam:listRoles"), [], "Iam.", "iam:ListRoles"),
        (
            "publishes",
            {
                "Resource": "arn:aws:states:::sns:publish",
                "Arguments": {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "Message": "m"},
            },
            [],
            "SNS.AuthorizationError",
            "sns:Publish",
        ),
        (
            "invokes",
            {"Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": "f", "Payload": {}}},
            [],
            "Lambda.AWSLambda",
            "lambda:InvokeFunction",
        ),
    ],
)
def test_fails_the_task_that_the_role_of_a_state_machine_may_not_do(
    cloud: LocalCloud, name: str, task: dict[str, Any], statements: list[Statement], error: str, action: str
) -> None:
    assert cloud

    execution = execute(f"machine-{name}", task, *statements)

    assert execution["status"] == "FAILED"
    assert execution["error"].startswith(error)
    said = f"assumed-role/machine-{name}/StepFunctions is not authorized to perform: {action}"
    assert said in execution["cause"], execution


@pytest.mark.parametrize(
    ("name", "task", "allowed", "other"),
    [
        (
            "lists-below",
            sdk_task("s3:listObjectsV2", Bucket="raw", Prefix="in/"),
            allow("s3:ListBucket", StringLike={"s3:prefix": "in/*"}),
            allow("s3:ListBucket", StringLike={"s3:prefix": "out/*"}),
        ),
        (
            "measures",
            sdk_task("cloudwatch:putMetricData", Namespace="Ours", MetricData=[{"MetricName": "M", "Value": 1}]),
            allow("cloudwatch:PutMetricData", StringEquals={"cloudwatch:namespace": "Ours"}),
            allow("cloudwatch:PutMetricData", StringEquals={"cloudwatch:namespace": "Theirs"}),
        ),
    ],
)
def test_decides_a_task_by_the_condition_keys_of_its_request(
    cloud: LocalCloud, name: str, task: dict[str, Any], allowed: Statement, other: Statement
) -> None:
    assert cloud

    assert execute(name, task, allowed)["status"] == "SUCCEEDED"
    assert execute(f"{name}-elsewhere", task, other)["status"] == "FAILED"


def read_items(operation: str, **arguments: str) -> dict[str, Any]:
    """A state that reads items from S3 and does nothing with them."""
    item = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    config = {"ReaderConfig": {"InputType": "JSON"}} if operation == "getObject" else {}
    reader = {"Resource": f"arn:aws:states:::s3:{operation}", "Arguments": {"Bucket": "raw", **arguments}, **config}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **item}
    return {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor}


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (read_items("getObject", Key="items.json"), "s3:GetObject"),
        (read_items("listObjectsV2", Prefix="in/"), "s3:ListBucket"),
    ],
)
def test_reads_the_items_of_a_map_as_the_role_of_its_state_machine(
    cloud: LocalCloud, state: dict[str, Any], action: str
) -> None:
    assert cloud
    boto3.client("s3").put_object(Bucket="raw", Key="items.json", Body=b"[1, 2]")
    name = action.partition(":")[2]

    denied = execute(f"cannot-{name}", state)
    allowed = execute(f"can-{name}", state, allow(action), allow("states:StartExecution"))

    assert (denied["status"], denied["error"]) == ("FAILED", "States.ItemReaderFailed"), denied
    assert f"is not authorized to perform: {action} on resource" in denied["cause"]
    assert allowed["status"] == "SUCCEEDED", allowed


@pytest.mark.parametrize("called", ["function:sagemaker:1", "function:activity:1", "function:aws-sdk"])
def test_fails_the_task_of_a_function_whatever_it_is_called(cloud: LocalCloud, called: str) -> None:
    assert cloud
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:{called}"

    execution = execute(f"calls-{called.split(':')[1]}", {"Resource": function})

    assert execution["status"] == "FAILED"
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {function}" in execution["cause"], (
        execution
    )


def test_lets_a_state_machine_do_what_its_role_may(cloud: LocalCloud) -> None:
    assert cloud
    listing = sdk_task("s3:listBuckets")

    execution = execute("machine-allowed", listing, allow("s3:ListAllMyBuckets"))

    assert execution["status"] == "SUCCEEDED", execution


def _refuse(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize("role", ["role/evil/bare", "role/bare/", "role/evil/reader"])
def test_assumes_a_role_by_its_whole_arn(cloud: LocalCloud, role: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:{role}"

    assert cloud
    assert _refuse(boto3.client("sts").assume_role, RoleArn=arn, RoleSessionName="evil") in (
        "AccessDenied",
        "ValidationError",
    )


def test_assumes_a_role_for_no_longer_than_it_allows(cloud: LocalCloud) -> None:
    make_role("short")
    assume_role = boto3.client("sts").assume_role
    given = {"RoleArn": f"{ROLES}/short", "RoleSessionName": "long"}

    assert cloud
    assert _refuse(assume_role, **given, DurationSeconds=3601) == "ValidationError"
    assert assume_role(**given, DurationSeconds=3600)["Credentials"]


def test_ends_the_sessions_of_a_role_with_the_role(cloud: LocalCloud) -> None:
    make_role("former")
    session, iam = assume("former"), boto3.client("iam")
    assert cloud
    assert session.client("sts").get_caller_identity()

    for name in iam.list_role_policies(RoleName="former")["PolicyNames"]:
        iam.delete_role_policy(RoleName="former", PolicyName=name)
    iam.delete_role(RoleName="former")
    make_role("former")

    assert _refuse(session.client("sts").get_caller_identity) == "InvalidClientTokenId"


def test_lets_a_session_token_without_a_device_not_call_iam(cloud: LocalCloud) -> None:
    given = boto3.client("sts").get_session_token()["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    assert cloud
    assert session.client("s3").list_buckets()["Buckets"]
    assert _refuse(session.client("iam").list_users) == "AccessDenied"


def test_decides_about_the_group_that_a_user_joins(cloud: LocalCloud) -> None:
    iam = boto3.client("iam")
    iam.create_group(GroupName="admins")
    iam.create_user(UserName="joiner")
    make_role("joining", allow("iam:*", on=f"arn:aws:iam::{ACCOUNT}:user/joiner"))

    assert cloud
    join = assume("joining").client("iam").add_user_to_group
    assert _refuse(join, GroupName="admins", UserName="joiner") == "AccessDenied"


def test_keeps_all_but_the_owner_from_the_engine_itself(cloud: LocalCloud, reader: Any) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    request = AWSRequest("POST", f"{cloud.endpoint_url}/_ministack/reset", data=b"")
    SigV4Auth(reader.get_credentials(), "sts", "us-east-1").add_auth(request)

    answer = URLLib3Session().send(request.prepare())

    assert answer.status_code == 403
    assert b"only the owner of the local cloud may call the engine itself" in answer.content


def test_lets_everybody_do_everything_where_policies_are_not_evaluated() -> None:
    access = ministack.Access(None)

    assert not access.is_on
    access.check("AKIASOME", [])
    assert access.trusts("arn:aws:iam::000000000000:role/none", "sagemaker.amazonaws.com")


def test_shows_what_a_role_has_used_what_it_may_do_besides_and_what_it_was_denied(cloud: LocalCloud) -> None:
    make_role("shown", allow("s3:GetObject", "s3:PutObject", on="arn:aws:s3:::raw/in/*"))
    s3 = assume("shown").client("s3")
    s3.get_object(Bucket="raw", Key="in/a.txt")
    with pytest.raises(ClientError):
        s3.get_object(Bucket="raw", Key="secret.txt")

    (shown,) = review_calls(read_calls(cloud.root), "SHOWN")

    assert shown.used == ("s3:GetObject",)
    assert shown.unused == (("s3:PutObject", "arn:aws:s3:::raw/in/*"),)
    assert shown.denied == (("s3:GetObject", "arn:aws:s3:::raw/secret.txt"),)
    assert "unused  s3:PutObject  arn:aws:s3:::raw/in/*" in render_calls([shown])
    with pytest.raises(NoSuchRoleError, match=r"no role has a name with 'stranger'; there are: .*shown"):
        review_calls(read_calls(cloud.root), "stranger")
