"""Rules of the gate that could not be applied are refused at synthesis."""

from typing import Any

import pytest

from headrace.recipes import big_mart, images
from stacks.settings.environment import Settings
from tests.stacks.settings.test_environment import environments_with, refusal

RULE = {"metric": "validation:r2", "direction": "at_least", "threshold": 0.5}


def test_refuses_what_is_no_better_than_the_baseline_by_default() -> None:
    settings = Settings.from_mapping("dev", environments_with("bigmart.gate", ...))

    asked = {
        recipe.name: [(rule.metric, rule.direction, rule.threshold, rule.margin) for rule in rules]
        for recipe in (big_mart.RECIPE, images.RECIPE)
        if (rules := settings.workload(recipe).gate.rules)
    }
    assert asked == {
        "bigmart": [("validation:rmse", "at_most", "baseline:rmse", -0.05)],
        "images": [("validation:accuracy", "at_least", "baseline:accuracy", 0.0)],
    }


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [RULE],
        [{**RULE, "threshold": 1}, {**RULE, "direction": "at_most", "threshold": "baseline:r2", "margin": -0.05}],
    ],
)
def test_takes_rules_about_metrics_that_the_job_reports(rules: list[dict[str, Any]]) -> None:
    settings = Settings.from_mapping("dev", environments_with("bigmart.gate.rules", rules))

    assert len(settings.workload(big_mart.RECIPE).gate.rules) == len(rules)


@pytest.mark.parametrize("key", ["metric", "threshold"])
def test_names_the_metrics_there_are_when_the_job_does_not_report_one(key: str) -> None:
    assert refusal("bigmart.gate.rules", [RULE, {**RULE, key: "validation:accuracy"}]) == (
        f"environments.dev: bigmart.gate.rules.1.{key}: found 'validation:accuracy', but the training job reports "
        "validation:rmse, validation:r2, baseline:rmse, baseline:r2, train:rmse"
    )


def test_refuses_to_compare_a_metric_with_itself() -> None:
    assert refusal("bigmart.gate.rules", [{**RULE, "threshold": "validation:r2"}]) == (
        "environments.dev.bigmart.gate.rules.0: 'validation:r2' would be compared with itself; name another metric, "
        "or a number"
    )


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"direction": "below"}, "direction"),
        ({"margin": 1.0}, "margin"),
        ({"margin": -1}, "margin"),
        ({"threshold": None}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"metric": ""}, "metric"),
        ({"weight": 1}, "weight"),
    ],
)
def test_names_the_key_of_a_rule_that_is_wrong(changes: dict[str, Any], key: str) -> None:
    assert refusal("bigmart.gate.rules", [{**RULE, **changes}]).startswith(
        f"environments.dev.bigmart.gate.rules.0.{key}"
    )
