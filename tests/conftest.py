"""What every test finds: this Python's own Node for jsii, and no way to a real AWS account."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure: time is measured in benchmarks, never in a test.
settings.register_profile("millrace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("millrace")

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
}
os.environ.pop("AWS_PROFILE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep slow tests of a kind in one process, so that what they share is started once."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(_name_group(item)))


def _name_group(item: pytest.Item) -> str:
    if "platform" in getattr(item, "fixturenames", ()):
        return "platform"
    return item.location[0]


@pytest.fixture(scope="session")
def real_sales() -> Path:
    """The real Big Mart training file, where it lies beside the checkout."""
    path = REAL_DATA / "bigmart" / "Train.csv"
    if not path.exists():
        pytest.skip(f"the real Big Mart file is not at {path}: its licence keeps it out of the project")
    return path
