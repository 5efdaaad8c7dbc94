"""Credentials, region and endpoint, as boto3 finds them."""

from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from headrace.data import AccessDeniedError, list_objects, storage_options
from headrace.data.clients import Connection, connect
from tests.headrace.data.stub_s3 import Stub


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def write_profile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("[profile shop]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_PROFILE", "shop")


def test_takes_region_and_endpoint_from_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile(tmp_path / "config", monkeypatch)

    connection = connect()

    assert connection.client.meta.region_name == "eu-west-1"
    assert connection.endpoint_url == "http://127.0.0.1:9"
    assert connection.profile == "shop"


def test_hands_profile_and_endpoint_on_to_frameworks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile(tmp_path / "config", monkeypatch)

    assert storage_options("s3://raw/sales.csv") == {"endpoint_url": "http://127.0.0.1:9", "profile": "shop"}


def test_leaves_frameworks_alone_on_aws_itself() -> None:
    assert storage_options("s3://raw/sales.csv") == {}


def test_takes_the_region_that_containers_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    assert connect().client.meta.region_name == "eu-central-1"


def test_stays_the_same_while_the_environment_does(monkeypatch: pytest.MonkeyPatch) -> None:
    first = connect()
    assert connect() is first

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert connect() is not first


def test_uses_the_default_session_that_the_program_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(region_name="ap-south-1"))

    assert connect().client.meta.region_name == "ap-south-1"


@pytest.mark.parametrize(
    ("bucket", "endpoint"),
    [("raw", "https://raw.s3.amazonaws.com"), ("raw.images", "https://s3.amazonaws.com/raw.images")],
)
def test_addresses_buckets_by_botocores_rules(bucket: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.data.clients._find_region", lambda *_: "us-east-1")

    assert Connection(boto3.Session()).store_of(bucket).config["endpoint"] == endpoint


def test_goes_to_the_region_of_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.data.clients._find_region", lambda *_: "eu-west-1")

    connection = Connection(boto3.Session())

    assert connection.store_of("raw").config["endpoint"] == "https://raw.s3.eu-west-1.amazonaws.com"
    assert connection.client_of("raw").meta.region_name == "eu-west-1"


def test_says_where_credentials_could_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(AccessDeniedError, match="no AWS credentials found; set AWS_PROFILE or run 'aws configure'"):
        Connection(boto3.Session()).store_of("raw")


def test_reads_the_times_of_a_listing_without_a_parser_for_any_form(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateutil.parser.parse", None)

    times = {entry.modified_at for entry in list_objects(stub.uri)}

    assert times == {datetime(2026, 11, 20, 10, tzinfo=UTC)}
