"""Image classification trains from what the settings name, inside the network and out of isolation only if it must."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import name_output, read_definition, template_of

SERVICE = get_session().get_service_model("sagemaker")
CHANNELS = ("train", "validation", "train_lst", "validation_lst")
LISTS = CHANNELS[2:]
TRAINING_ROLE = "ImageTrainingRole"


def a_channel(source: str) -> dict[str, str]:
    return {"name": "train_lst", "source": source, "path": "images/" if source == "s3" else "/images"}


def read_request(template: Mapping[str, Any]) -> dict[str, Any]:
    """The CreateTrainingJob request of a template's state machine."""
    request: dict[str, Any] = read_definition(template)["States"]["Train"]["Arguments"]
    return request


def request_of(environment: str) -> dict[str, Any]:
    return read_request(template_of("Images", environment).to_json())


def request_with(sources: list[str]) -> dict[str, Any]:
    """The request of prod with one channel from each of these sources."""
    channels = [a_channel(source) | {"name": source} for source in sources]
    return read_request(template_with("Images", "prod", {"images.training.channels": channels}).to_json())


def sources_of(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each channel's only data source, by the channel's name."""
    found = {}
    for channel in request["InputDataConfig"]:
        (source,) = channel["DataSource"].values()
        found[channel["ChannelName"]] = source
    return found


def list_allowed(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each action that the training job's role may take, and the statement that says so."""
    policies = {name: p for name, p in template.find_resources("AWS::IAM::Policy").items() if TRAINING_ROLE in name}
    assert policies != {}
    for policy in policies.values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                yield action, statement


def test_reads_a_set_that_was_made_in_bulk_and_no_other() -> None:
    channels = [{"name": "train", "source": "sets", "path": "photographs-256/normalized/"}]
    template = template_with(
        "Images", "dev", {"images.training.normalized": None, "images.training.channels": channels}
    )

    request = read_request(template.to_json())
    uri = json.dumps(sources_of(request)["train"]["S3Uri"])
    assert uri.endswith('/normalized-sets/photographs-256/normalized/"')
    assert request["EnableNetworkIsolation"] is True
    (reading,) = (statement for action, statement in list_allowed(template) if action == "s3:GetObject")
    assert json.dumps(reading["Resource"]).count("/normalized-sets/photographs-256/normalized/*") == 1
    assert "Work" in json.dumps(reading["Resource"])


def list_network_actions(environment: str) -> set[str]:
    """What the training job's role may do in EC2."""
    return {action for action, _ in list_allowed(template_of("Images", environment)) if action.startswith("ec2:")}


def list_read_prefixes(template: Template) -> list[str]:
    """What the training job's role may read of the raw bucket."""
    read = [statement["Resource"] for action, statement in list_allowed(template) if action == "s3:GetObject"]
    resources = [resource for some in read for resource in (some if isinstance(some, list) else [some])]
    return [resource["Fn::Join"][1][-1] for resource in resources]


def list_invoked(template: Template) -> list[str]:
    """The functions that the training job may call by their address."""
    invoking = [statement for action, statement in list_allowed(template) if action == "lambda:InvokeFunctionUrl"]
    return [name_output(statement["Resource"]) for statement in invoking]


def test_asks_sagemaker_only_for_what_its_api_knows(environment: str) -> None:
    shape = SERVICE.operation_model("CreateTrainingJob").input_shape

    assert ParamValidator().validate(request_of(environment), shape).generate_report() == ""


@pytest.mark.parametrize(("environment", "names"), [("dev", LISTS), ("prod", CHANNELS)])
def test_has_the_channels_of_image_classification(environment: str, names: tuple[str, ...]) -> None:
    channels = request_of(environment)["InputDataConfig"]

    assert tuple(channel["ChannelName"] for channel in channels) == names
    assert {(channel["ContentType"], channel["InputMode"]) for channel in channels} == {("application/x-image", "File")}


@pytest.mark.parametrize("channel", ["train", "validation"])
def test_reads_photographs_from_the_raw_bucket_in_prod(channel: str) -> None:
    source = sources_of(request_of("prod"))[channel]

    assert source["S3DataType"] == "S3Prefix"
    assert source["S3Uri"].startswith("s3://<{'Fn::GetStackOutput': {'StackName': 'headrace-prod-storage'")
    assert source["S3Uri"].endswith("}>/images/photographs/")


def test_reads_the_training_list_from_efs_in_prod() -> None:
    source = sources_of(request_of("prod"))["train_lst"]

    assert "PublishOutputRefEfsFileSystem" in source.pop("FileSystemId")
    assert source == {"FileSystemType": "EFS", "DirectoryPath": "/lists/train", "FileSystemAccessMode": "ro"}


def test_reads_the_validation_list_from_fsx_below_its_mount_name_in_prod() -> None:
    source = sources_of(request_of("prod"))["validation_lst"]
    mount, _, path = source["DirectoryPath"].partition("}>")

    assert "PublishOutputRefFsxFileSystem" in source["FileSystemId"]
    assert (source["FileSystemType"], source["FileSystemAccessMode"]) == ("FSxLustre", "ro")
    assert mount.startswith("/<{")
    assert "LustreMountName" in mount
    assert path == "/raw/images/lists/validation"


def test_reads_lists_from_s3_in_dev() -> None:
    kinds = [set(channel["DataSource"]) for channel in request_of("dev")["InputDataConfig"]]

    assert kinds == [{"S3DataSource"}] * 2


def test_reads_photographs_through_the_function_url_in_dev() -> None:
    environment = request_of("dev")["Environment"]

    assert "PublishOutputFnGetAttNormalizerFunctionFunctionUrl" in environment.pop("HEADRACE_IMAGES")
    assert environment == {
        "HEADRACE_IMAGES_PREFIX": "images/photographs/",
        "HEADRACE_IMAGES_OPTIONS": "width=256&height=256&colour=rgb",
        "HEADRACE_IMAGES_CONNECTIONS": "8",
        "AWS_DEFAULT_REGION": "<{'Ref': 'AWS::Region'}>",
    }


def test_reads_photographs_through_the_consumers_object_lambda_by_a_name_that_needs_no_stack() -> None:
    address = request_of("object-lambda")["Environment"]["HEADRACE_IMAGES"]

    assert address == (
        "arn:<{'Ref': 'AWS::Partition'}>:s3-object-lambda:<{'Ref': 'AWS::Region'}>:<{'Ref': 'AWS::AccountId'}>"
        ":accesspoint/headrace-dev-training"
    )


def test_reads_photographs_through_the_function_url_even_where_there_is_object_lambda() -> None:
    template = template_with("Images", "object-lambda", {"images.training.normalized.through": "function_url"})
    address = read_definition(template.to_json())["States"]["Train"]["Arguments"]["Environment"]["HEADRACE_IMAGES"]

    assert "FunctionUrl" in address


def test_tells_a_job_of_channels_nothing_of_the_normalizer() -> None:
    assert "Environment" not in request_of("prod")
    assert list_invoked(template_of("Images", "prod")) == []


def test_lets_the_job_call_the_function_through_its_url_only() -> None:
    (function,) = list_invoked(template_of("Images", "dev"))
    (invoking,) = (s for action, s in list_allowed(template_of("Images", "dev")) if action == "lambda:InvokeFunction")

    assert function.startswith("headrace-dev-normalizer:PublishOutputFnGetAttNormalizerFunction")
    assert invoking["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": True}}


@pytest.mark.parametrize(
    ("environment", "prefixes"),
    [("dev", ["/images/lists/train/*", "/images/lists/validation/*"]), ("prod", ["/images/photographs/*"])],
)
def test_lets_the_job_read_what_its_channels_bring_from_s3(environment: str, prefixes: list[str]) -> None:
    assert list_read_prefixes(template_of("Images", environment)) == prefixes


def test_lets_the_job_read_nothing_of_s3_when_no_channel_does() -> None:
    template = template_with("Images", "prod", {"images.training.channels": [a_channel("efs")]})

    assert "s3:ListBucket" not in {action for action, _ in list_allowed(template)}
    assert list_read_prefixes(template) == []


def test_stays_outside_the_network_when_all_channels_come_from_s3() -> None:
    assert "VpcConfig" not in request_of("dev")
    assert list_network_actions("dev") == set()


def test_joins_the_network_with_the_group_of_training_jobs() -> None:
    (group,) = request_of("prod")["VpcConfig"]["SecurityGroupIds"]

    assert "GroupsTraining" in group
    assert "ec2:CreateNetworkInterface" in list_network_actions("prod")


@pytest.mark.parametrize("sources", [["fsx"], ["efs", "fsx"]], ids="+".join)
def test_joins_the_subnet_of_the_file_system_when_it_reads_fsx(sources: list[str]) -> None:
    file_system = template_of("FileSystems", "prod").find_resources("AWS::FSx::FileSystem")
    ((subnet,),) = (resource["Properties"]["SubnetIds"] for resource in file_system.values())

    assert request_with(sources)["VpcConfig"]["Subnets"] == [f"<{subnet}>"]


def test_joins_every_subnet_when_it_reads_efs_only() -> None:
    subnets = request_with(["s3", "efs"])["VpcConfig"]["Subnets"]

    assert len(set(subnets)) == 3
    assert all("IsolatedSubnet" in subnet for subnet in subnets)


def test_stays_outside_the_network_when_file_systems_are_there_but_not_read() -> None:
    assert "VpcConfig" not in request_with(["s3"])


def test_mounts_a_file_system_for_writing_only_when_the_channel_says_so() -> None:
    channels = [a_channel("efs") | {"access": "rw"}]
    template = template_with("Images", "prod", {"images.training.channels": channels})

    assert sources_of(read_request(template.to_json()))["train_lst"]["FileSystemAccessMode"] == "rw"


def test_reads_a_prefix_as_it_goes_when_the_channel_says_so() -> None:
    channels = [a_channel("s3") | {"input_mode": "FastFile"}]
    template = template_with("Images", "dev", {"images.training.channels": channels})

    (channel,) = read_request(template.to_json())["InputDataConfig"]
    assert channel["InputMode"] == "FastFile"


@pytest.mark.parametrize(("environment", "isolated"), [("dev", False), ("prod", True)])
def test_isolates_the_container_unless_it_reads_through_the_normalizer(environment: str, isolated: bool) -> None:
    assert request_of(environment)["EnableNetworkIsolation"] is isolated
