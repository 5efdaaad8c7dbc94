"""No part of an execution may take longer than the execution may."""

import copy
from typing import Any

import pytest

from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import SWITCHES, read_context, set_path

WHOLE = 6 * 3600


def read(workload: dict[str, Any], hours: int = 6) -> Settings:
    environment = {"retain_data": False, "pipeline": {"timeout_hours": hours}, "bigmart": workload}
    return Settings.from_mapping("dev", {"dev": environment})


PARTS: list[tuple[str, dict[str, Any]]] = [
    ("preprocessing.max_runtime_seconds", {"preprocessing": {"max_runtime_seconds": WHOLE + 1}}),
    ("training.max_runtime_seconds", {"training": {"max_runtime_seconds": WHOLE + 1}}),
    ("training.spot.max_wait_seconds", {"training": {"spot": {"max_wait_seconds": WHOLE + 1}}}),
    ("transform.max_runtime_seconds", {"deploy": "batch", "transform": {"max_runtime_seconds": WHOLE + 1}}),
    (
        "endpoint.golden.max_runtime_seconds",
        {"endpoint": {"golden": {"max_runtime_seconds": WHOLE + 1}, "update": {"wait_seconds": 120}}},
    ),
    ("endpoint.update.timeout_seconds", {"endpoint": {"update": {"timeout_seconds": WHOLE + 1}}}),
]


@pytest.mark.parametrize(("key", "workload"), PARTS, ids=[key for key, _ in PARTS])
def test_refuses_a_part_that_would_be_cut_off(key: str, workload: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        read(workload)

    assert str(refused.value) == (
        f"environments.dev: bigmart.{key}: found {WHOLE + 1}, but an execution is ended after pipeline.timeout_hours, "
        "6; raise that, or lower this"
    )


@pytest.mark.parametrize("workload", [workload for _, workload in PARTS], ids=[key for key, _ in PARTS])
def test_takes_it_where_an_execution_may_take_longer(workload: dict[str, Any]) -> None:
    assert read(workload, hours=7)


def test_asks_nothing_of_a_transform_job_that_there_is_not() -> None:
    assert read({"transform": {"max_runtime_seconds": WHOLE + 1}})


@pytest.mark.parametrize("limit", ["max_runtime_seconds", "spot.max_wait_seconds"])
def test_leaves_an_hour_for_a_file_system_to_be_made_before_the_training(limit: str) -> None:
    environments = copy.deepcopy(read_context()["environments"])
    dev = environments["dev"]
    for path, value in SWITCHES["fsx-per-run"].items():
        set_path(dev, path, value)
    set_path(dev, f"images.training.{limit}", WHOLE)
    set_path(dev, "pipeline.timeout_hours", 7)
    assert Settings.from_mapping("dev", environments)

    set_path(dev, "pipeline.timeout_hours", 6)
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("dev", environments)

    assert str(refused.value) == (
        f"environments.dev: images.training.{limit}: found {WHOLE}, and its file system may take another 3600 to be "
        "made, but an execution is ended after pipeline.timeout_hours, 6; raise that, or lower this"
    )
