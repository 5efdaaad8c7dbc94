"""What the tests of forecasting share."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Test processes share the processors; threads that wait for each other would take them from all."""
    with threadpool_limits(1):
        yield
