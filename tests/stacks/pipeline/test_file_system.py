"""Executions make a file system for their training, and leave none behind."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.validate import ParamValidator

from headrace.local.sagemaker.validation import load_service_model
from headrace.policies import as_list
from stacks.pipeline.file_system import find_prefix
from tests.stacks.conftest import read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS, describe_job

VARIANT = "fsx-per-run"
NAME = "fs-0123456789abcdef0"
CREATED = {"FileSystem": {"FileSystemId": NAME, "Lifecycle": "CREATING"}}
NOT_FOUND = TaskError("FSx.FileSystemNotFoundException", f"File system '{NAME}' does not exist.")
BROKEN = TaskError("SageMaker.ResourceNotFoundException", "broken")


# What a template leaves open.
IDS = {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}
UNREACHED = TaskError("SageMaker.SdkClientException", "Unable to execute HTTP request")


def see(lifecycle: str, **more: Any) -> dict[str, Any]:
    lustre = {"MountName": "kx4bpbev"}
    return {"FileSystems": [{"FileSystemId": NAME, "Lifecycle": lifecycle, "LustreConfiguration": lustre, **more}]}


FSX: Mapping[str, list[Any]] = {
    "createFileSystem": [CREATED],
    "describeFileSystems": [see("CREATING"), see("CREATING"), see("AVAILABLE")],
    "deleteFileSystem": [{"FileSystemId": NAME, "Lifecycle": "DELETING"}],
}


def run(redrives: int = 0, **answers: list[Any]) -> Execution:
    definition = fill_tokens(read_definition(template_of("Images", VARIANT).to_json()))
    return execute(definition, {}, {**ANSWERS, **FSX, **answers}, redrives=redrives)


def list_asked(execution: Execution) -> list[str]:
    return [name for name in execution.list_operations() if "FileSystem" in name or name == "createTrainingJob"]


def test_makes_a_file_system_before_the_training_and_deletes_it_after() -> None:
    execution = run()

    assert execution.status == "SUCCEEDED"
    assert list_asked(execution) == [
        "createFileSystem",
        *["describeFileSystems"] * 3,
        "createTrainingJob",
        "deleteFileSystem",
    ]
    assert execution.waits[:2] == [30, 30]
    operations = execution.list_operations()
    assert operations.index("deleteFileSystem") < operations.index("createModelPackage")


def test_asks_only_for_what_the_api_knows() -> None:
    model = load_service_model("fsx")
    asked = [(name, arguments) for name, arguments in run().requests if "FileSystem" in name]

    for name, arguments in asked:
        shape = model.operation_model(f"{name[0].upper()}{name[1:]}").input_shape
        filled = {key: IDS.get(key, value) for key, value in arguments.items()}
        assert ParamValidator().validate(filled, shape).generate_report() == ""


def test_makes_scratch_storage_over_the_lists_of_the_raw_bucket() -> None:
    request = dict(run().requests)["createFileSystem"]

    assert (request["StorageCapacity"], request["LustreConfiguration"]["DeploymentType"]) == (1200, "SCRATCH_2")
    assert request["LustreConfiguration"]["ImportPath"].endswith("/images/lists/")
    assert "KmsKeyId" not in request
    tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    assert (tags["environment"], tags["workload"], tags["headrace:execution"]) == ("dev", "images", "run-1")


def test_mounts_what_it_has_made() -> None:
    channels = {each["ChannelName"]: each for each in dict(run().requests)["createTrainingJob"]["InputDataConfig"]}

    assert channels["train_lst"]["DataSource"]["FileSystemDataSource"] == {
        "FileSystemId": NAME,
        "FileSystemType": "FSxLustre",
        "DirectoryPath": "/kx4bpbev/images/lists/train",
        "FileSystemAccessMode": "ro",
    }
    validation = channels["validation_lst"]["DataSource"]["FileSystemDataSource"]
    assert validation["DirectoryPath"] == "/kx4bpbev/images/lists/validation"


def test_says_what_fsx_says_of_one_that_cannot_be_made() -> None:
    failed = see("FAILED", FailureDetails={"Message": "no capacity in this zone"})

    execution = run(describeFileSystems=[see("CREATING"), failed])

    assert (execution.error, execution.cause) == (
        "FileSystemFailed",
        f"file system {NAME} is FAILED: no capacity in this zone",
    )
    assert "createTrainingJob" not in execution.list_operations()


def test_waits_an_hour_for_one_and_no_longer() -> None:
    execution = run(describeFileSystems=[see("CREATING")])

    assert execution.cause == f"file system {NAME} is not available after 60 minutes"
    assert sum(execution.waits) == 3600


def test_goes_on_where_one_cannot_be_deleted() -> None:
    execution = run(deleteFileSystem=[TaskError("FSx.BadRequestException", "a task is running")])

    assert execution.status == "SUCCEEDED"


def test_makes_another_one_when_a_failed_execution_is_redriven() -> None:
    execution = run(redrives=1, createTrainingJob=[BROKEN, describe_job])

    assert execution.status == "SUCCEEDED"
    assert list_asked(execution).count("createFileSystem") == 2
    tokens = {request["ClientRequestToken"] for name, request in execution.requests if name == "createFileSystem"}
    assert len(tokens) == 2
    assert all(len(token) <= 63 for token in tokens)


def test_makes_another_one_when_it_goes_on_at_the_training_that_it_was_stopped_in() -> None:
    definition = fill_tokens(read_definition(template_of("Images", VARIANT).to_json()))
    retry = {"ErrorEquals": [UNREACHED.error], "IntervalSeconds": 200, "BackoffRate": 1}
    definition["States"]["Train"]["Retry"] = [retry]
    jobs = [UNREACHED, UNREACHED, describe_job]

    execution = execute(
        definition | {"TimeoutSeconds": 350}, {}, {**ANSWERS, **FSX, "createTrainingJob": jobs}, redrives=1
    )

    assert execution.status == "SUCCEEDED"
    # The two tries of the first training, and no third one before there is another file system.
    assert list_asked(execution)[4:] == [
        *["createTrainingJob"] * 2,
        "createFileSystem",
        "describeFileSystems",
        "createTrainingJob",
        "deleteFileSystem",
    ]


@pytest.mark.parametrize("gone", [NOT_FOUND, see("DELETING")])
def test_makes_another_one_when_it_goes_on_at_the_wait_that_it_was_stopped_in(gone: Any) -> None:
    definition = fill_tokens(read_definition(template_of("Images", VARIANT).to_json()))
    seen = [see("CREATING")] * 4 + [gone, see("AVAILABLE")]

    execution = execute(
        definition | {"TimeoutSeconds": 100}, {}, {**ANSWERS, **FSX, "describeFileSystems": seen}, redrives=1
    )

    assert execution.status == "SUCCEEDED"
    assert list_asked(execution).count("createFileSystem") == 2


@pytest.mark.parametrize("seen", [[see("CREATING"), NOT_FOUND], [see("CREATING"), see("DELETING")]])
def test_fails_where_somebody_deletes_it(seen: list[Any]) -> None:
    execution = run(describeFileSystems=seen)

    assert execution.status == "FAILED"
    assert list_asked(execution).count("createFileSystem") == 1


def test_deletes_only_what_executions_of_the_workload_have_made() -> None:
    template = template_of("Images", VARIANT).to_json()
    statements = [
        statement
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]
    deleting = [each for each in statements if "fsx:DeleteFileSystem" in as_list(each["Action"])]
    creating = [each for each in statements if "fsx:CreateFileSystem" in as_list(each["Action"])]

    assert (len(deleting), len(creating)) == (2, 1)
    for key, found in (("Resource", deleting), ("Request", creating)):
        for statement in found:
            assert statement["Condition"] == {
                "StringEquals": {
                    f"aws:{key}Tag/environment": "dev",
                    f"aws:{key}Tag/project": "headrace",
                    f"aws:{key}Tag/workload": "images",
                },
                "Null": {f"aws:{key}Tag/headrace:execution": "false"},
            }


@pytest.mark.parametrize(
    ("paths", "prefix"),
    [
        (["/raw"], ""),
        (["/raw/images"], "images/"),
        (["/raw/images/a", "/raw/images/b/"], "images/"),
        (["/raw/images/a", "/raw/other"], ""),
    ],
)
def test_shows_no_more_of_the_bucket_than_is_read(paths: list[str], prefix: str) -> None:
    assert find_prefix(paths) == prefix
