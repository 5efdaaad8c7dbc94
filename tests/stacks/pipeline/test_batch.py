"""A batch instead of an endpoint: what SageMaker is asked for, executed by the engine's interpreter."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition, read_stacks, template_of
from tests.stacks.executions import THROTTLED, Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS, NO_QUOTA, VERSION

SHAPE = get_session().get_service_model("sagemaker").operation_model("CreateTransformJob").input_shape
APPROVED = {
    "ModelPackageArn": VERSION,
    "ModelPackageStatus": "Completed",
    "ModelApprovalStatus": "Approved",
    "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://work/model.tar.gz"}]},
}
FAILED_JOB = TaskError("States.TaskFailed", json.dumps({"FailureReason": "AlgorithmError: row 7 has no price"}))


def describe_job(request: dict[str, Any]) -> dict[str, Any]:
    return {key: request[key] for key in ("TransformJobName", "TransformOutput")}


def run(stack: str = "BigMart", given: Any = None, **answers: list[Any]) -> Execution:
    definition = fill_tokens(read_definition(read_stacks("batch")[stack]["template"]))
    return execute(definition, given or {}, ANSWERS | {"createTransformJob": [describe_job]} | answers)


def list_statements(template: Template, role: str) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy").items()
    return [s for name, p in policies if role in name for s in p["Properties"]["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize("stack", ["BigMart", "Images"])
def test_asks_a_new_model_about_the_batch_and_makes_no_endpoint(stack: str) -> None:
    execution = run(stack)

    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.list_operations()[-3:] == ["createModel", "createTransformJob", "updateModelPackage"]
    assert not [operation for operation in execution.list_operations() if "Endpoint" in operation]
    assert execution.output["Outcome"] == "TRANSFORMED"
    assert execution.output["TransformedUrl"] == f"s3://filled/executions/{stack.lower()}/run-1/transformed/"
    assert execution.output["TransformJobName"] == "run-1"


@pytest.mark.parametrize("stack", ["BigMart", "Images"])
def test_its_request_is_one_that_sagemaker_takes(stack: str) -> None:
    (request,) = (given for operation, given in run(stack).requests if operation == "createTransformJob")

    assert not ParamValidator().validate(request, SHAPE).has_errors()
    given, made = request["TransformInput"], request["TransformOutput"]
    processing = request.get("DataProcessing")
    if stack == "BigMart":
        assert (given["SplitType"], made["AssembleWith"], processing) == ("Line", "Line", {"JoinSource": "Input"})
        assert (given["ContentType"], made["Accept"], request["BatchStrategy"]) == (
            "text/csv",
            "text/csv",
            "MultiRecord",
        )
    else:
        assert (given["SplitType"], made["AssembleWith"], processing) == ("None", "None", None)
        assert (given["ContentType"], request["BatchStrategy"]) == ("application/x-image", "SingleRecord")
        assert given["DataSource"]["S3DataSource"]["S3Uri"].endswith("/transform/images/new/")


def test_asks_a_version_that_there_is_again_and_again() -> None:
    execution = run(given={"ModelPackageArn": VERSION}, describeModelPackage=[APPROVED])

    assert execution.output["Outcome"] == "TRANSFORMED"
    assert execution.list_operations() == [
        "describeModelPackage",
        "describeModelPackage",
        "createModel",
        "createTransformJob",
        "updateModelPackage",
    ]
    assert dict(execution.requests)["updateModelPackage"]["CustomerMetadataProperties"].keys() == {
        "headrace:transformed"
    }


def test_names_another_job_when_it_asks_again() -> None:
    execution = run(createTransformJob=[TaskError(THROTTLED, "Rate exceeded"), describe_job])

    assert execution.output["TransformJobName"] == "run-1-retry1"


def test_says_why_a_batch_has_failed() -> None:
    execution = run(createTransformJob=[FAILED_JOB])

    assert (execution.error, execution.cause) == ("TransformFailed", "Transform: AlgorithmError: row 7 has no price")


def test_fails_at_once_when_there_is_no_quota_for_the_batch() -> None:
    assert run(createTransformJob=[NO_QUOTA]).error == "QuotaTooSmall"


def test_its_model_may_write_below_its_executions_alone_and_read_its_input() -> None:
    batch = Template.from_json(read_stacks("batch")["Images"]["template"])

    statements = list_statements(batch, "ImageInference")
    writing = [s for s in statements if s["Action"] == "s3:PutObject"]
    reading = json.dumps([s["Resource"] for s in statements if s["Action"] == "s3:GetObject"])
    assert len(writing) == 1
    assert "/executions/images/*" in json.dumps(writing[0]["Resource"])
    assert "/transform/images/new/*" in reading
    assert "/aws/sagemaker/Endpoints" not in json.dumps(statements)


def test_lets_scientists_bring_the_input_and_viewers_read_the_log() -> None:
    policies = template_with("People", "people", {"bigmart.deploy": "batch"}).find_resources("AWS::IAM::ManagedPolicy")
    statements = {
        policy["Properties"]["ManagedPolicyName"].rpartition("-")[2]: json.dumps(policy["Properties"]["PolicyDocument"])
        for policy in policies.values()
    }

    assert "/transform/bigmart/*" in statements["scientist"]
    assert "/transform/images/" not in statements["scientist"]
    assert "/aws/sagemaker/TransformJobs*" in statements["viewer"]


def test_the_model_of_an_endpoint_may_write_nothing() -> None:
    statements = list_statements(template_of("BigMart"), "Inference")

    assert "s3:PutObject" not in json.dumps(statements)
    assert "transform" not in json.dumps(statements).lower()


@pytest.mark.parametrize(("payload", "concurrent"), [(6, None), (7, 1), (100, 1)])
def test_asks_with_large_requests_one_after_the_other(payload: int, concurrent: int | None) -> None:
    changes = {"bigmart.deploy": "batch", "bigmart.transform.max_payload_mb": payload}

    request = read_definition(template_with("BigMart", "dev", changes).to_json())["States"]["Transform"]["Arguments"]

    assert (request["MaxPayloadInMB"], request.get("MaxConcurrentTransforms")) == (payload, concurrent)


def test_takes_the_customers_key_for_its_disks_unless_those_are_the_machines_own() -> None:
    encrypted = {"encryption.customer_key": True, "bigmart.deploy": "batch"}
    resources, outputs = [], []
    for machine in ("ml.m5.xlarge", "ml.g5.xlarge"):
        template = template_with("BigMart", "dev", {**encrypted, "bigmart.transform.instance_type": machine})
        request = read_definition(template.to_json())["States"]["Transform"]["Arguments"]
        resources.append("VolumeKmsKeyId" in request["TransformResources"])
        outputs.append("KmsKeyId" in request["TransformOutput"])

    assert (resources, outputs) == ([True, False], [True, True])
