"""The engine's version, process and keys are what headrace assumes."""

import importlib
import importlib.metadata

import pytest

from headrace.local.engine.cloud import ACCOUNT
from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.ministack import (
    EngineVersionError,
    process,
)
from headrace.local.engine.signatures import Fault, SignatureError


def test_pins_the_version_that_is_known() -> None:
    assert importlib.metadata.version("ministack") == process.VERSION


def test_refuses_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "9.9.9")

    with pytest.raises(EngineVersionError, match=r"ministack 9\.9\.9 is installed, but headrace needs 1\.5\.33"):
        process.check_version()


def test_binds_loopback_and_opens_no_other_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environment)

    process.configure(4711, evaluates_iam=True)

    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["GATEWAY_PORT"] == "4711"
    assert environment["AUTH"] == "true"
    assert (environment["IOT_MTLS_ENABLED"], environment["SFTP_ENABLED"]) == ("0", "0")


def test_finds_the_keys_that_the_engine_gives_out() -> None:
    iam, sts = (importlib.import_module(f"ministack.services.{name}") for name in ("iam", "sts"))
    account = ACCOUNT
    record = {"Status": "Active", "SecretAccessKey": "secret", "UserName": "user"}
    session = {"Arn": f"arn:aws:sts::{account}:assumed-role/r/s", "SecretAccessKey": "other", "SessionToken": "token"}
    iam._access_keys["AKIAUSERS"] = record
    iam._access_keys["AKIAIDLE"] = {**record, "Status": "Inactive"}
    sts.register_session("ASIASESSION", session)

    found = [process.find_key(name) for name in ("AKIAUSERS", "ASIASESSION", "AKIAIDLE", "AKIANOBODYS")]

    assert found == [
        AccessKey(key_id="AKIAUSERS", secret="secret"),
        AccessKey(key_id="ASIASESSION", secret="other", session_token="token"),
        None,
        None,
    ]


def test_knows_an_expired_key() -> None:
    sts = importlib.import_module("ministack.services.sts")
    session = {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", "SecretAccessKey": "s", "Expiration": 1.0}
    sts._sessions["ASIAEXPIRED"] = session

    with pytest.raises(SignatureError) as refused:
        process.find_key("ASIAEXPIRED")

    assert refused.value.fault == Fault.EXPIRED_TOKEN


@pytest.mark.parametrize("name", ["test", "123456789012", ""])
def test_gives_nobody_the_keys_that_are_the_engines_administrators(name: str) -> None:
    assert process.find_key(name) is None
