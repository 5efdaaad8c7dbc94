"""What runs each workload is found through the registry, and agrees with its recipe."""

import pytest

from headrace.recipes import Recipe, list_recipes
from headrace.workloads import find_workload
from headrace.workloads.workload import spread


@pytest.mark.parametrize("recipe", list_recipes(), ids=str)
def test_finds_what_runs_a_workload(recipe: Recipe) -> None:
    assert find_workload(recipe).recipe is recipe


@pytest.mark.parametrize("recipe", list_recipes(), ids=str)
def test_shows_scores_that_the_training_job_reports(recipe: Recipe) -> None:
    scores = find_workload(recipe).scores

    shown = {metric for metrics in scores.rows.values() for metric in metrics if metric}
    assert shown - scores.of_answers <= set(recipe.training.metrics)
    assert scores.of_answers <= shown
    assert all(len(metrics) <= len(scores.columns) for metrics in scores.rows.values())


@pytest.mark.parametrize(("count", "asked"), [(3, [0, 1, 2]), (5, [0, 1, 2, 3, 4]), (100, [0, 20, 40, 60, 80])])
def test_asks_about_a_few_things_spread_over_all(count: int, asked: list[int]) -> None:
    assert spread(range(count)) == asked
