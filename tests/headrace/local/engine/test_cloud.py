"""Finding, starting and stopping the local cloud's server."""

import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from headrace.local.engine import cloud
from headrace.local.engine.cloud import CloudError
from headrace.local.engine.credentials import AccessKey
from headrace.local.limits import Limits


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


def test_finds_a_server_of_an_earlier_version_which_wrote_no_limits(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711):
        (tmp_path / "cloud.json").write_text(json.dumps({"port": 4711, "pid": 1, "is_kept": True}))

        found = cloud.find(tmp_path)

    assert found is not None
    assert found.limits == Limits()


def test_finds_nothing_as_long_as_the_server_has_not_said_where_it_listens(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711):
        (tmp_path / "cloud.json").unlink()

        assert cloud.find(tmp_path) is None


def test_finds_nothing_when_the_server_has_died(tmp_path: Path) -> None:
    cloud.claim(tmp_path, 4711).close()

    assert (tmp_path / "cloud.json").exists()
    assert cloud.find(tmp_path) is None


def test_lets_one_server_hold_a_root(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711), pytest.raises(CloudError, match="another local cloud is running on"):
        cloud.claim(tmp_path, 4712)


def test_does_not_take_somebody_who_looks_for_a_server_for_one(tmp_path: Path) -> None:
    cloud.claim(tmp_path, 4711).close()
    with (tmp_path / "lock").open() as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        threading.Timer(0.1, fcntl.flock, (look, fcntl.LOCK_UN)).start()

        cloud.claim(tmp_path, 4712).close()


def test_names_a_busy_port_and_how_to_choose_another(tmp_path: Path, busy_port: int) -> None:
    with pytest.raises(CloudError, match=rf"^port {busy_port} cannot be used .*; choose another with --port$"):
        cloud.start(tmp_path, busy_port)


def test_names_the_port_of_the_cloud_that_runs_already(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711), pytest.raises(CloudError, match="already running on port 4711"):
        cloud.start(tmp_path, 4712)


def test_is_kept_only_when_its_server_says_so(tmp_path: Path) -> None:
    with cloud.claim(tmp_path, 4711):
        before = cloud.find(tmp_path)
        cloud.mark_kept(tmp_path)
        after = cloud.find(tmp_path)

    assert before
    assert after
    assert (before.is_kept, after.is_kept) == (False, True)


def test_points_clients_away_from_every_real_account() -> None:
    environment = cloud.client_environment(4711, AccessKey(key_id="AKIA2", secret="s"))

    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4711"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"


def test_keeps_clients_from_what_would_lead_them_elsewhere_or_spoil_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = cloud.client_environment(4711, AccessKey(key_id="AKIA2", secret="s"))
    monkeypatch.setattr(
        "os.environ", {"AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "p", "AWS_ENDPOINT_URL_S3": "https://x"}
    )

    cloud.point_clients(environment)

    assert os.environ == environment


def test_makes_new_clients_forget_the_key_that_older_ones_have_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", dict(os.environ))
    for name in ("AKIA2", "AKIA3"):
        cloud.point_clients(cloud.client_environment(4711, AccessKey(key_id=name, secret="s")))
        credentials = boto3.client("sts")._request_signer._credentials

        assert credentials.access_key == name


def test_keeps_its_state_from_other_users_also_where_the_folder_was_open_to_them(tmp_path: Path) -> None:
    root = tmp_path / "cloud"
    root.mkdir(mode=0o755)

    cloud.claim(root, 4711).close()

    assert root.stat().st_mode & 0o777 == 0o700


def test_refuses_a_folder_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1_000_000)

    with pytest.raises(CloudError, match="belongs to another user; choose another folder with --folder"):
        cloud.make_private(tmp_path)
