"""What an account may use at once: read from a file or known of a new account, by the names of Service Quotas."""

from pathlib import Path

import pytest

from headrace.local.limits import OBJECT_LAMBDA_ACCESS_POINTS, Limits, LimitsError
from headrace.quotas import CONCURRENT_EXECUTIONS


def test_knows_what_a_new_account_has() -> None:
    limits = Limits.of("new-account", None)

    assert limits.find_quota("ml.m5.xlarge for training job usage") == 0
    assert limits.find_quota(CONCURRENT_EXECUTIONS) == 10
    assert limits.find_quota(OBJECT_LAMBDA_ACCESS_POINTS) == 0


def test_prefers_a_name_to_a_pattern(tmp_path: Path) -> None:
    file = tmp_path / "quotas.json"
    file.write_text(
        '{"ml.m5.large* for endpoint usage": 0, "* for endpoint usage": 0, "ml.m5.large for endpoint usage": 2}'
    )
    limits = Limits.of(str(file), None)

    assert limits.find_quota("ml.m5.large for endpoint usage") == 2
    assert limits.find_quota("ml.m5.xlarge for endpoint usage") == 0
    assert limits.find_quota("ml.m5.large for training job usage") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read"),
        ("[]", "are not an object"),
        ("[" * 100_000, "nested too deeply"),
        (
            '{"Concurrent executions": -1}',
            r"'Concurrent executions' in .*quotas\.json is -1, not a whole number from 0",
        ),
        ('{"Concurrent executions": 1.5}', "is 1.5, not"),
        ('{"Concurrent executions": true}', "is True, not"),
        ('{"Concurrent executions": "1"}', "is '1', not"),
        ('{"Concurrent executions": null}', "is None, not"),
        (
            '{"* for traning job usage": 0}',
            r"'\* for traning job usage' in .*quotas\.json is not known: the local cloud",
        ),
        ('{"ml.nonsense.huge for endpoint usage": 1}', "names no instance type of SageMaker's"),
        ('{"Concurrent executions": 1, "Concurrent executions": 5}', "'Concurrent executions' occurs twice"),
        ('{"Object Lambda access points": 5}', "is 5; only 0, for a new account, is enforced"),
    ],
)
def test_refuses_quotas_that_are_none(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "quotas.json"
    file.write_text(text)

    with pytest.raises(LimitsError, match=reason):
        Limits.of(str(file), None)


def test_says_which_file_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(LimitsError, match=r"none\.json cannot be read: .*No such file"):
        Limits.of(str(tmp_path / "none.json"), None)


def test_refuses_a_region_that_there_is_not() -> None:
    with pytest.raises(LimitsError, match="'eu-wst-1' is not a Region; there are af-south-1"):
        Limits.of(None, "eu-wst-1")


def test_comes_back_as_it_was_written() -> None:
    limits = Limits.of("new-account", "eu-central-2")

    assert Limits.parse(limits.write()) == limits


def test_refuses_a_device_and_no_name_at_all() -> None:
    with pytest.raises(LimitsError, match=r"/dev/zero cannot be read: .*device"):
        Limits.of("/dev/zero", None)
    with pytest.raises(LimitsError, match="is empty"):
        Limits.of("", None)
