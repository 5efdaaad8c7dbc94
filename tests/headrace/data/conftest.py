"""A real S3 server for the tests of this folder, and something to put in it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.local.engine import cloud
from headrace.loopback import find_free_port
from tests.headrace.data.buckets import Bucket
from tests.headrace.data.stub_s3 import Stub, serving


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads AWS clients to a local cloud of this folder's own."""
    running = cloud.start(tmp_path_factory.mktemp("cloud"), find_free_port(), stop_with_caller=True)
    yield running.client_environment
    running.stop()


@pytest.fixture
def s3(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """boto3's own client, to arrange and to look."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return boto3.client("s3")


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    """An empty bucket."""
    return Bucket.create(s3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of each kind: small, empty, nested, oddly named, large enough for parts."""
    root = tmp_path / "images"
    for name, content in {
        "a.jpg": b"a",
        "empty": b"",
        "cats/1 é+#?%41.jpg": b"cat",
        "cats/big.rec": os.urandom(20 * 1024 * 1024),
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture(scope="session")
def stub_server() -> Iterator[Stub]:
    """A stand-in for S3; one endpoint for all tests, since each needs clients of its own."""
    with serving(Stub()) as running:
        yield running


@pytest.fixture
def stub(stub_server: Stub, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """A stand-in for S3 with five objects; what a test puts into `refusals` fails."""
    stub_server.reset({f"k{number}": b"hello" for number in range(5)})
    for name, value in stub_server.environment.items():
        monkeypatch.setenv(name, value)
    return stub_server
