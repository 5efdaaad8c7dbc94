"""What is kept and measured of requests, in the background and by the cloud's clock."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from headrace.local.clock import Clock
from headrace.local.sagemaker import batches, data_capture
from headrace.local.sagemaker.data_capture import DataCapture
from headrace.local.sagemaker.endpoint_metrics import EndpointMetrics, Invocation
from tests.patience import PATIENCE_SECONDS, wait_until

CONFIG = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://work/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
CALL = Invocation(variant="one", config="c", instances=1, status=200, model_seconds=1, overhead_seconds=0)


@dataclass
class Store:
    """Where reports go: it notes each, and takes none while it is held."""

    begun: int = 0
    taken: int = 0
    open: threading.Event = field(default_factory=threading.Event)

    def take(self, *_: Any, **__: Any) -> None:
        self.begun += 1
        assert self.open.wait(PATIENCE_SECONDS)
        self.taken += 1

    put_metric_data = take


@dataclass
class Reporter:
    """Somebody who reports what requests there were."""

    add: Callable[[], None]
    subject: DataCapture | EndpointMetrics


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A cloud's clock that is only moved by hand."""
    clock = Clock(lambda: 0.0)
    monkeypatch.setattr(batches, "CLOCK", clock)
    return clock


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()
    monkeypatch.setattr(data_capture, "upload_file", store.take)
    return store


@pytest.fixture(params=["capture", "metrics"])
def reporter(request: pytest.FixtureRequest, store: Store, clock: Clock) -> Reporter:
    if request.param == "metrics":
        metrics = EndpointMetrics(store, "endpoint")
        return Reporter(lambda: metrics.add(CALL), metrics)
    capture = DataCapture(None, ("endpoint", "one"), CONFIG)  # type: ignore[arg-type]
    return Reporter(lambda: capture.add({"Body": "1"}, {}), capture)


@contextmanager
def closing(reporter: Reporter) -> Iterator[None]:
    """Close it meanwhile."""
    closer = threading.Thread(target=reporter.subject.close)
    closer.start()
    wait_until(lambda: reporter.subject._is_closed)
    yield
    closer.join(PATIENCE_SECONDS)


def test_reports_what_comes_in_while_it_reports_and_is_closed(reporter: Reporter, store: Store, clock: Clock) -> None:
    reporter.add()
    wait_until(clock.find_wait)
    clock.move(60)
    wait_until(lambda: store.begun)

    reporter.add()
    with closing(reporter):
        store.open.set()

    assert store.taken == 2


def test_reports_when_the_clock_has_been_moved(reporter: Reporter, store: Store, clock: Clock) -> None:
    store.open.set()
    reporter.add()
    assert wait_until(clock.find_wait) == 60
    assert not store.begun

    clock.move(60)

    wait_until(lambda: store.taken)
    reporter.subject.close()
    assert store.taken == 1


def test_the_clock_waits_for_what_is_being_reported(reporter: Reporter, store: Store, clock: Clock) -> None:
    reporter.add()
    wait_until(clock.find_wait)
    clock.move(60)
    wait_until(lambda: store.begun)

    assert clock.is_busy

    store.open.set()
    wait_until(lambda: not clock.is_busy)
    reporter.subject.close()
