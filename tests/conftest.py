"""What every test finds: this Python's own Node for jsii, and no way to a real AWS account."""

import gc
import os
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from tests.examples import count_examples
from tests.patience import SLOW_TEST_SECONDS
from tests.tables import WANTED, TableWriter, choose_items

# A busy machine is not a failure: time is measured in benchmarks, never in a test.
settings.register_profile(
    "headrace", max_examples=count_examples(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("headrace")

PROJECT = Path(__file__).resolve().parent.parent
REAL_DATA = PROJECT.parent / "shared" / "data"

# jsii starts the first Node it finds; the one beside this Python is the pinned one.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # CDK's own rules take most of the time of a synthesis; tests/stacks/test_synthesis.py and test_nag.py apply them.
    "CDK_VALIDATION": "false",
}
os.environ.pop("AWS_PROFILE", None)

# Each session would read the descriptions of the services again, which takes longer than most tests of a client.
botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tables of the full matrices, where they are asked for; with several processes, in the first."""
    if WANTED in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(TableWriter())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while ten thousand tests are collected, nor ever after among what was made for them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, and give tests of real processes the time they may take on a busy machine.

    Where files run side by side, what is short then fills the gaps at the end; and of the files that need the container
    engine for themselves one comes first and the others last, so that none of them waits for another.
    """
    items[:] = choose_items(items)
    slow, alone = (find_marked(items, marker) for marker in ("slow", "engine"))
    first = min(alone, default=None)
    items.sort(key=lambda item: (item.path not in slow, item.path != first, item.path in alone))
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TEST_SECONDS))


def find_marked(items: list[pytest.Item], marker: str) -> set[Path]:
    """The files that have tests with a marker."""
    return {item.path for item in items if item.get_closest_marker(marker)}


@pytest.fixture(autouse=True)
def own_default_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test without boto3's default session, which remembers the first key that it has read."""
    if boto3 := sys.modules.get("boto3"):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture(scope="session")
def real_sales() -> Path:
    """The real Big Mart training file, where it lies beside the checkout."""
    path = REAL_DATA / "bigmart" / "Train.csv"
    if not path.exists():
        pytest.skip(f"the real Big Mart file is not at {path}: its licence keeps it out of the project")
    return path
