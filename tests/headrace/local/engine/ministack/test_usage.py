"""What is billed of MiniStack's services, from records such as it keeps."""

from types import SimpleNamespace

import pytest

from headrace.local.engine.ministack import usage
from headrace.local.usage import SECONDS_PER_MONTH


@pytest.mark.parametrize(
    ("record", "is_billed"),
    [
        ({"KeyState": "Enabled"}, True),
        ({"KeyState": "Disabled"}, True),
        ({"KeyState": "PendingDeletion"}, False),
        ({"KeyState": "PendingReplicaDeletion"}, False),
        ({"KeyState": "Enabled", "KeyManager": "AWS"}, False),
    ],
)
def test_bills_keys_until_they_wait_for_their_deletion(record: dict[str, str], is_billed: bool) -> None:
    rates = usage._read_monthly(SimpleNamespace(_alarms={}, _dashboards={}), SimpleNamespace(_keys={"k": record}))

    assert rates == ({("key-month", "key k"): 1 / SECONDS_PER_MONTH} if is_billed else {})


def test_bills_dashboards_while_they_are_there() -> None:
    rates = usage._read_monthly(SimpleNamespace(_alarms={}, _dashboards={"d": {}}), SimpleNamespace(_keys={}))

    assert rates == {("dashboard-month", "dashboard d"): 1 / SECONDS_PER_MONTH}
