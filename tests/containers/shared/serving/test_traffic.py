import asyncio
import os

import pytest

from containers.shared.serving import traffic as module
from containers.shared.serving.traffic import Traffic
from tests.containers.logs import read_log
from tests.patience import PATIENCE_SECONDS


async def note_and_summarize(traffic: Traffic, *statuses: int) -> None:
    for status in statuses:
        traffic.note(
            "POST",
            "/invocations",
            status,
            0.0007,
            amounts={"rows": 2} if status == 200 else {},
            error="wrong" * (status > 200),
        )
    traffic.summarize()


def test_sums_up_what_went_well(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(note_and_summarize(Traffic(every=False), 200, 200, 200))

    (line,) = read_log(capsys)
    assert line.pop("seconds") >= 0
    assert line == {
        "event": "requests",
        "worker": os.getpid(),
        "requests": 3,
        "rows": 6,
        "statuses": {"200": 3},
        "within_milliseconds": {"1": 3},
    }


def test_writes_the_first_refusals_of_a_period_in_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "REFUSALS_IN_FULL", 2)

    asyncio.run(note_and_summarize(Traffic(every=False), 400, 200, 400, 400))

    *refusals, summary = read_log(capsys)
    refusal = {"event": "request", "method": "POST", "path": "/invocations", "status": 400, "error": "wrong"}
    assert refusals == [{**refusal, "milliseconds": 0.7}] * 2
    assert summary["statuses"] == {"200": 1, "400": 3}


def test_says_nothing_when_nothing_happened(capsys: pytest.CaptureFixture[str]) -> None:
    traffic = Traffic(every=False)
    asyncio.run(note_and_summarize(traffic, 200))
    capsys.readouterr()

    traffic.summarize()

    assert read_log(capsys) == []


def test_sums_up_by_itself_after_a_period(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)

    async def note_and_wait() -> None:
        written = asyncio.Event()
        monkeypatch.setattr(module, "log_event", lambda *_, **__: written.set())
        Traffic(every=False).note("GET", "/ping", 200, 0.0)
        await asyncio.wait_for(written.wait(), PATIENCE_SECONDS)

    asyncio.run(note_and_wait())


def test_counts_slow_requests_beyond_the_last_bound() -> None:
    assert [module.name_bound(index) for index in (0, len(module.BOUNDS))] == ["0.1", "more"]
