from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local.sagemaker import Patience, log_shipping
from tests.headrace.local.sagemaker.cloud import Cloud

IMPATIENT = Patience(
    job_stop_seconds=10,
    serving_stop_seconds=5,
    close_seconds=0.5,
    startup_seconds=20,
    ping_interval_seconds=0.02,
    invocation_seconds=10,
)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(log_shipping, "SHIPPING_INTERVAL_SECONDS", 0.01)
    cloud = Cloud(tmp_path, IMPATIENT)
    yield cloud
    cloud.sagemaker.close()
