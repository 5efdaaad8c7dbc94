"""What the tests of the command line share."""

from collections.abc import Iterator

import pytest

from tests.headrace.cli.programs import ForkServer


@pytest.fixture(scope="session")
def headrace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """`headrace` as a program, started quickly."""
    with ForkServer(tmp_path_factory.mktemp("said")) as server:
        yield server
