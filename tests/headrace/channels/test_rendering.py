"""What the channels render is what CreateTrainingJob takes."""

import subprocess
import sys
from typing import Any

import pytest
from botocore.model import Shape
from hypothesis import given
from hypothesis import strategies as st

from headrace.channels import (
    Access,
    AugmentedManifestChannel,
    Channel,
    ChannelError,
    Compression,
    Distribution,
    EfsChannel,
    FsxLustreChannel,
    InputMode,
    ManifestChannel,
    RecordWrapper,
    Reference,
    S3Channel,
    VpcConfig,
    needs_vpc,
    render_input_data_config,
)
from headrace.local.sagemaker.validation import load_service_model, validate_request

ID = "fs-0123456789abcdef0"
TOKEN = "${Token[TOKEN.42]}"
FOLDER = S3Channel(name="folder", uri="s3://raw/images/", content_type="application/x-image")
FAST_FOLDER = S3Channel(name="fast", uri="s3://raw/images/", input_mode=InputMode.FAST_FILE)
STREAM = S3Channel(
    name="stream",
    uri="s3://raw/images",
    input_mode=InputMode.PIPE,
    distribution=Distribution.SHARDED_BY_S3_KEY,
    compression=Compression.GZIP,
    record_wrapper=RecordWrapper.RECORD_IO,
    shuffle_seed=7,
)
MANIFEST = ManifestChannel(name="listed", uri="s3://raw/subset.manifest")
LABELLED = AugmentedManifestChannel(
    name="labelled",
    uri="s3://raw/train.manifest",
    content_type="application/x-recordio",
    attribute_names=("source-ref", "class"),
    record_wrapper=RecordWrapper.RECORD_IO,
    shuffle_seed=7,
)
EFS = EfsChannel(
    name="lists",
    file_system_id=ID,
    directory_path="/lists",
    access_mode=Access.RW,
    content_type="application/x-image",
)
FSX = FsxLustreChannel(name="images", file_system_id=ID, mount_name="kx4bpbev", directory_path="/images")
ALL_KINDS: list[Channel] = [FOLDER, FAST_FOLDER, STREAM, MANIFEST, LABELLED, EFS, FSX]
VPC = VpcConfig(security_group_ids=("sg-0123456789abcdef0",), subnets=("subnet-0123456789abcdef0",))


def shape_of(member: str) -> Shape:
    request = load_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape
    assert request is not None
    shape: Shape = request.members[member]
    return shape


@pytest.mark.parametrize(
    ("channel", "rendered"),
    [
        (
            FOLDER,
            {
                "ChannelName": "folder",
                "ContentType": "application/x-image",
                "InputMode": "File",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://raw/images/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            },
        ),
        (
            STREAM,
            {
                "ChannelName": "stream",
                "InputMode": "Pipe",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://raw/images",
                        "S3DataDistributionType": "ShardedByS3Key",
                    }
                },
                "CompressionType": "Gzip",
                "RecordWrapperType": "RecordIO",
                "ShuffleConfig": {"Seed": 7},
            },
        ),
        (
            MANIFEST,
            {
                "ChannelName": "listed",
                "InputMode": "File",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "ManifestFile",
                        "S3Uri": "s3://raw/subset.manifest",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            },
        ),
        (
            LABELLED,
            {
                "ChannelName": "labelled",
                "ContentType": "application/x-recordio",
                "InputMode": "Pipe",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "AugmentedManifestFile",
                        "S3Uri": "s3://raw/train.manifest",
                        "S3DataDistributionType": "FullyReplicated",
                        "AttributeNames": ["source-ref", "class"],
                    }
                },
                "RecordWrapperType": "RecordIO",
                "ShuffleConfig": {"Seed": 7},
            },
        ),
        (
            EFS,
            {
                "ChannelName": "lists",
                "ContentType": "application/x-image",
                "InputMode": "File",
                "DataSource": {
                    "FileSystemDataSource": {
                        "FileSystemId": ID,
                        "FileSystemType": "EFS",
                        "DirectoryPath": "/lists",
                        "FileSystemAccessMode": "rw",
                    }
                },
            },
        ),
        (
            FSX,
            {
                "ChannelName": "images",
                "InputMode": "File",
                "DataSource": {
                    "FileSystemDataSource": {
                        "FileSystemId": ID,
                        "FileSystemType": "FSxLustre",
                        "DirectoryPath": "/kx4bpbev/images",
                        "FileSystemAccessMode": "ro",
                    }
                },
            },
        ),
    ],
)
def test_renders_what_the_api_calls_it(channel: Channel, rendered: dict[str, Any]) -> None:
    assert channel.render() == rendered


def test_renders_every_kind_as_the_api_model_demands() -> None:
    rendered = render_input_data_config(ALL_KINDS, VPC)

    for channel in rendered:
        validate_request(shape_of("InputDataConfig").member, channel)


def test_renders_the_network_as_the_api_model_demands() -> None:
    validate_request(shape_of("VpcConfig"), VPC.render())


def test_renders_channels_in_the_order_given() -> None:
    names = [channel["ChannelName"] for channel in render_input_data_config(ALL_KINDS, VPC)]

    assert names == ["folder", "fast", "stream", "listed", "labelled", "lists", "images"]


def test_takes_20_channels_of_every_source_in_one_job() -> None:
    many = [S3Channel(name=f"c{number}", uri="s3://raw/k") for number in range(18)]

    assert len(render_input_data_config([*many, EFS, FSX], VPC)) == 20


@pytest.mark.parametrize(
    "channel",
    [
        S3Channel(name="n" * 64, uri="s3://raw/".ljust(1024, "k"), content_type="t" * 256),
        S3Channel(name="n", uri="https://s3.amazonaws.com/raw/k", input_mode=InputMode.PIPE, shuffle_seed=2**63 - 1),
        AugmentedManifestChannel(
            name="n", uri="s3://raw/m", attribute_names=tuple(f"{number}".ljust(256, "a") for number in range(10, 26))
        ),
        EfsChannel(name="n", file_system_id="fs-01234567", directory_path="/".ljust(4096, "d")),
        FsxLustreChannel(
            name="n", file_system_id=f"fs-{'0' * 18}", mount_name="kx4bpbev", directory_path="/".ljust(4087, "d")
        ),
    ],
)
def test_takes_as_much_as_the_api_takes(channel: Channel) -> None:
    validate_request(shape_of("InputDataConfig").member, channel.render())


def test_takes_as_large_a_network_as_the_api_takes() -> None:
    network = VpcConfig(security_group_ids=("sg-".ljust(32, "0"),) * 5, subnets=("subnet-".ljust(32, "0"),) * 16)

    validate_request(shape_of("VpcConfig"), network.render())


def test_mounts_all_of_a_lustre_file_system_for_its_root() -> None:
    channel = FsxLustreChannel(name="all", file_system_id=ID, mount_name="kx4bpbev", directory_path="/")

    assert channel.render()["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == "/kx4bpbev"


@pytest.mark.parametrize(("path", "added"), [("/lists/", '"/lists"'), ("/", '""')])
def test_adds_the_path_in_jsonata_to_a_mount_name_in_jsonata(path: str, added: str) -> None:
    channel = FsxLustreChannel(name="lists", file_system_id=ID, mount_name="{% $seen.Mount %}", directory_path=path)

    source = channel.render()["DataSource"]["FileSystemDataSource"]

    assert source["DirectoryPath"] == f"{{% '/' & $seen.Mount & {added} %}}"


def test_passes_references_unchecked() -> None:
    channel = EfsChannel(name="lists", file_system_id=Reference(TOKEN), directory_path=Reference("relative"))

    source = channel.render()["DataSource"]["FileSystemDataSource"]

    assert (source["FileSystemId"], source["DirectoryPath"]) == (TOKEN, "relative")


def test_puts_a_mount_name_known_only_later_before_the_path() -> None:
    channel = FsxLustreChannel(name="i", file_system_id=ID, mount_name=Reference(TOKEN), directory_path="/images")

    assert channel.render()["DataSource"]["FileSystemDataSource"]["DirectoryPath"] == f"/{TOKEN}/images"


def test_renders_references_as_plain_strings() -> None:
    rendered = S3Channel(name="train", uri=Reference(TOKEN)).render()

    assert type(rendered["DataSource"]["S3DataSource"]["S3Uri"]) is str


@pytest.mark.parametrize("uri", ["{% 's3://work/' & $execution %}", Reference(TOKEN)])
def test_takes_a_uri_known_only_later_in_fast_file_mode(uri: str) -> None:
    rendered = S3Channel(name="train", uri=uri, input_mode=InputMode.FAST_FILE).render()

    assert rendered["DataSource"]["S3DataSource"]["S3Uri"] == uri


def test_checks_the_rest_of_a_uri_whose_bucket_is_known_only_later() -> None:
    with pytest.raises(ChannelError, match="FastFile mounts a whole folder"):
        S3Channel(name="train", uri=f"s3://{TOKEN}/train", input_mode=InputMode.FAST_FILE)


def test_takes_a_manifest_known_only_later() -> None:
    rendered = ManifestChannel(name="train", uri=Reference(TOKEN)).render()

    assert rendered["DataSource"]["S3DataSource"]["S3Uri"] == TOKEN


@pytest.mark.parametrize(
    ("channels", "expected"), [([FOLDER, LABELLED], False), ([FOLDER, EFS], True), ([FSX], True), ([], False)]
)
def test_needs_a_vpc_for_file_systems_only(channels: list[Channel], expected: bool) -> None:
    assert needs_vpc(channels) is expected


@given(name=st.text(max_size=70), uri=st.text(max_size=20).map("s3://".__add__), content_type=st.text(max_size=300))
def test_renders_only_what_the_api_model_takes(name: str, uri: str, content_type: str) -> None:
    try:
        rendered = S3Channel(name=name, uri=uri, content_type=content_type).render()
    except ChannelError:
        return

    validate_request(shape_of("InputDataConfig").member, rendered)


def test_loads_neither_the_aws_client_nor_the_cdk() -> None:
    program = (
        "import sys, headrace.channels, headrace.channels.adviser; "
        "print(*{'boto3', 'botocore', 'aws_cdk'} & set(sys.modules))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == ""
