"""What tests that run real containers need, or say that they lack."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from headrace.container_images.building import BuildSettings
from headrace.container_images.engine import Engine, EngineError, find_engine
from headrace.recipes import big_mart, linear_learner, normalizer

# One of each kind, and small: a processing job, what trains and serves, and a job that reads and writes S3 itself.
SMALL_IMAGES = (big_mart.PREPROCESSING, linear_learner.IMAGE, normalizer.BULK)


def require_engine() -> Engine:
    """The container engine; without one the test is skipped loudly, and fails in CI."""
    try:
        return find_engine()
    except EngineError as error:
        give_up(str(error))


@contextmanager
def engine_alone() -> Iterator[Engine]:
    """The container engine, while no other process of the tests uses it: they build the same images."""
    engine = require_engine()
    with (Path(tempfile.gettempdir()) / f"headrace-tests-{engine.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield engine


def read_build_settings() -> BuildSettings:
    """The stand-in for the base image and the certificates that the environment names, as for the command line."""
    ca_bundle = os.environ.get("HEADRACE_CA_BUNDLE")
    return BuildSettings(
        base_image=os.environ.get("HEADRACE_BASE_IMAGE"),
        ca_bundle=Path(ca_bundle) if ca_bundle else None,
    )


def give_up(reason: str) -> NoReturn:
    """Skip a test that lacks something, or fail where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to run the containers: {reason}", pytrace=False)
    pytest.skip(f'containers not run: {reason}; on Debian, as root: eval "$(.ci/containers)"')
