"""What tests do with local clouds of their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.loopback import find_free_port

__all__ = ["clients_of", "find_free_port", "own_clients", "running_with_object"]


@contextmanager
def own_clients() -> Iterator[None]:
    """Have the AWS clients of this process be at the end what they were at the beginning."""
    with patch.dict(os.environ):
        yield
    # The session remembers the key it has read.
    boto3.setup_default_session()


@contextmanager
def clients_of(cloud: LocalCloud) -> Iterator[None]:
    """Point the AWS clients of this process at a cloud for a while."""
    with own_clients():
        local_cloud.point_clients(cloud.client_environment)
        yield


@contextmanager
def running_with_object(root: Path, key: str, body: bytes) -> Iterator[LocalCloud]:
    """A cloud with one object in its bucket `raw`, which the AWS clients of this process lead to."""
    started = local_cloud.start(root, find_free_port(), stop_with_caller=True)
    with clients_of(started):
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket="raw")
        s3.put_object(Bucket="raw", Key=key, Body=body)
        yield started
    started.stop()
