import logging
import threading
from typing import Any

import pytest

from headrace.local.clock import Clock
from headrace.local.sagemaker.log_shipping import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, LogEvent, LogStream, split_batches
from tests.headrace.local.sagemaker.fakes import FakeLogs, client_error


def open_stream(logs: FakeLogs, name: str = "stream") -> LogStream:
    stream = LogStream(logs, "group", name)
    stream.open()
    return stream


def test_sends_every_line_before_it_closes() -> None:
    logs = FakeLogs()
    stream = open_stream(logs)

    for number in range(100):
        stream.write(f"line {number}")
    stream.close()

    assert logs.lines("group") == [f"line {number}" for number in range(100)]


def test_sends_lines_while_the_program_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.local.sagemaker.log_shipping.SHIPPING_INTERVAL_SECONDS", 0.01)
    logs = FakeLogs()
    stream = open_stream(logs)

    stream.write("early")
    logs.await_line("early")

    stream.close()


def test_leaves_empty_lines_out() -> None:
    logs = FakeLogs()
    stream = open_stream(logs)

    stream.write("")
    stream.close()

    assert logs.lines("group") == []


def test_keeps_events_in_the_order_of_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([2.0, 1.0])
    monkeypatch.setattr("headrace.local.sagemaker.log_shipping.CLOCK", Clock(lambda: next(times)))
    logs = FakeLogs()
    stream = open_stream(logs)

    stream.write("first")
    stream.write("second")
    stream.close()

    assert [event["timestamp"] for event in logs.streams["group", "stream"]] == [2000, 2000]


def test_uses_a_group_that_exists_already() -> None:
    logs = FakeLogs()
    for name in ("one", "two"):
        stream = open_stream(logs, name)
        stream.write(name)
        stream.close()

    assert logs.lines("group") == ["one", "two"]


def test_goes_on_when_a_batch_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    class RefusingLogs(FakeLogs):
        refused = threading.Event()

        def put_log_events(self, **request: Any) -> Any:
            self.refused.set()
            raise client_error("ServiceUnavailable", "PutLogEvents")

    stream = open_stream(RefusingLogs())

    with caplog.at_level(logging.WARNING):
        stream.write("lost")
        stream.close()

    assert RefusingLogs.refused.is_set()
    assert "log_events_dropped" in caplog.text


@pytest.mark.parametrize(
    ("events", "sizes"),
    [
        ([], []),
        ([LogEvent(1, "x")] * (MAX_BATCH_EVENTS + 1), [MAX_BATCH_EVENTS, 1]),
        ([LogEvent(1, "x" * (MAX_BATCH_BYTES // 2 - 26))] * 3, [2, 1]),
        ([LogEvent(1, "ä" * (MAX_BATCH_BYTES // 4))] * 2, [1, 1]),
    ],
)
def test_keeps_batches_within_the_limits(events: list[LogEvent], sizes: list[int]) -> None:
    assert [len(batch) for batch in split_batches(events)] == sizes
