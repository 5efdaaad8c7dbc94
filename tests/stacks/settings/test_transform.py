"""A batch with settings that are an endpoint's, or that its model cannot be asked with, is refused at synthesis."""

import copy
from typing import Any

import pytest

from headrace.recipes import big_mart, images
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import set_path
from tests.stacks.settings.test_environment import environments_with

RULE = {"metric": "validation:rmse", "direction": "at_most", "threshold": "serving"}


def settings_with(workload: str, changes: dict[str, Any]) -> Settings:
    environments = copy.deepcopy(environments_with(f"{workload}.deploy", "batch"))
    for path, value in changes.items():
        set_path(environments["dev"], f"{workload}.{path}", value)
    return Settings.from_mapping("dev", environments)


def test_serves_at_an_endpoint_unless_told_otherwise() -> None:
    settings = Settings.from_mapping("dev", environments_with("bigmart.deploy", ...))

    assert [settings.workload(recipe).is_batch for recipe in (big_mart.RECIPE, images.RECIPE)] == [False, False]


@pytest.mark.parametrize("workload", ["bigmart", "images"])
def test_takes_a_batch_by_itself(workload: str) -> None:
    assert getattr(settings_with(workload, {"endpoint.name": "shop"}), workload).is_batch


@pytest.mark.parametrize(
    ("workload", "key", "value", "said"),
    [
        ("bigmart", "endpoint.instance_count", 2, "makes no endpoint; leave it out, or set deploy to endpoint"),
        ("bigmart", "endpoint.metrics_seconds", 10, "makes no endpoint; leave it out, or set deploy to endpoint"),
        ("bigmart", "endpoint.update", {"wait_seconds": 9}, "makes no endpoint; leave it out, or set deploy to"),
        ("bigmart", "gate.rules", [RULE], "no version serves that could be compared with; give a number or a metric"),
    ],
)
def test_names_what_contradicts_a_batch(workload: str, key: str, value: Any, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_with(workload, {key: value})

    named = f"{key}.0.threshold" if key == "gate.rules" else key
    assert f"{workload}.{named}: " in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("prefix", ["/new", "../bigmart", "new/./old", "a b", "x" * 501])
def test_refuses_a_prefix_that_leads_elsewhere(prefix: str) -> None:
    with pytest.raises(SettingsError, match=r"environments\.dev\.bigmart\.transform\.input: found"):
        settings_with("bigmart", {"transform.input": prefix})
