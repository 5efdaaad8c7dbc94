"""Finding, starting and stopping the local cloud's server."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local import cloud
from headrace.local.cloud import CloudError


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((cloud.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_finds_nothing_where_nothing_runs(tmp_path: Path) -> None:
    assert cloud.find(tmp_path) is None


def test_finds_the_server_that_holds_the_root(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711):
        found = cloud.find(tmp_path)

    assert found is not None
    assert found.endpoint_url == "http://127.0.0.1:4711"


def test_finds_nothing_when_the_server_has_died(tmp_path: Path) -> None:
    cloud.claim(tmp_path, 4711).close()

    assert (tmp_path / "cloud.json").exists()
    assert cloud.find(tmp_path) is None


def test_lets_one_server_hold_a_root(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711), pytest.raises(CloudError, match="another local cloud runs on"):
        cloud.claim(tmp_path, 4712)


def test_names_a_busy_port_and_how_to_choose_another(tmp_path: Path, busy_port: int) -> None:
    with pytest.raises(CloudError, match=rf"^port {busy_port} cannot be used .*; choose another with --port$"):
        cloud.start(tmp_path, busy_port)


def test_names_the_port_of_the_cloud_that_runs_already(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711), pytest.raises(CloudError, match="runs already, on port 4711"):
        cloud.start(tmp_path, 4712)


def test_points_clients_away_from_every_real_account() -> None:
    environment = cloud.client_environment(4711)

    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4711"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
