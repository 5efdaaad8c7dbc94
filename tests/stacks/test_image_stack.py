"""Image classification trains from the storages that the settings list, inside the network only if it must."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition, template_of

SERVICE = get_session().get_service_model("sagemaker")
CHANNELS = ("train", "validation", "train_lst", "validation_lst")
TRAINING_ROLE = "ImageTrainingRole"


def a_channel(source: str) -> dict[str, str]:
    return {"name": "train", "source": source, "path": "images/" if source == "s3" else "/images"}


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


def list_network_actions(environment: str) -> set[str]:
    """What the training job's role may do in EC2."""
    policies = template_of("Images", environment).find_resources("AWS::IAM::Policy")
    statements = [
        statement
        for name, policy in policies.items()
        if name.startswith(TRAINING_ROLE)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert statements != []
    actions = [[s["Action"]] if isinstance(s["Action"], str) else s["Action"] for s in statements]
    return {action for some in actions for action in some if action.startswith("ec2:")}


def test_asks_sagemaker_only_for_what_its_api_knows(environment: str) -> None:
    shape = SERVICE.operation_model("CreateTrainingJob").input_shape

    assert ParamValidator().validate(request_of(environment), shape).generate_report() == ""


def test_has_the_four_channels_of_image_classification(environment: str) -> None:
    channels = request_of(environment)["InputDataConfig"]

    assert tuple(channel["ChannelName"] for channel in channels) == CHANNELS
    assert {(channel["ContentType"], channel["InputMode"]) for channel in channels} == {("application/x-image", "File")}


@pytest.mark.parametrize("channel", ["train", "validation"])
def test_reads_pictures_from_the_raw_bucket_in_prod(channel: str) -> None:
    source = sources_of(request_of("prod"))[channel]

    assert source["S3DataType"] == "S3Prefix"
    assert source["S3Uri"].startswith("s3://<{'Fn::ImportValue': 'millrace-prod-storage:ExportsOutputRefRaw")
    assert source["S3Uri"].endswith("}>/images/pictures/")


def test_reads_the_training_list_from_efs_in_prod() -> None:
    source = sources_of(request_of("prod"))["train_lst"]

    assert "millrace-prod-filesystems:ExportsOutputRefEfsFileSystem" in source.pop("FileSystemId")
    assert source == {"FileSystemType": "EFS", "DirectoryPath": "/lists/train", "FileSystemAccessMode": "ro"}


def test_reads_the_validation_list_from_fsx_below_its_mount_name_in_prod() -> None:
    source = sources_of(request_of("prod"))["validation_lst"]
    mount, _, path = source["DirectoryPath"].partition("}>")

    assert "millrace-prod-filesystems:ExportsOutputRefFsxFileSystem" in source["FileSystemId"]
    assert (source["FileSystemType"], source["FileSystemAccessMode"]) == ("FSxLustre", "ro")
    assert mount.startswith("/<{")
    assert "LustreMountName" in mount
    assert path == "/raw/images/lists/validation"


def test_reads_everything_from_s3_in_dev() -> None:
    kinds = [set(channel["DataSource"]) for channel in request_of("dev")["InputDataConfig"]]

    assert kinds == [{"S3DataSource"}] * 4


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

    assert sources_of(read_request(template.to_json()))["train"]["FileSystemAccessMode"] == "rw"


def test_reads_a_prefix_as_it_goes_when_the_channel_says_so() -> None:
    channels = [a_channel("s3") | {"input_mode": "FastFile"}]
    template = template_with("Images", "dev", {"images.training.channels": channels})

    (channel,) = read_request(template.to_json())["InputDataConfig"]
    assert channel["InputMode"] == "FastFile"


def test_isolates_the_container_from_the_network(environment: str) -> None:
    assert request_of(environment)["EnableNetworkIsolation"] is True
