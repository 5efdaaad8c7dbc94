import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from containers.big_mart.training import forest
from containers.big_mart.training.channels import Dataset
from containers.big_mart.training.forest import fit_forest
from containers.big_mart.training.hyperparameters import Hyperparameters
from containers.shared.job.training_failures import HyperparameterError


@pytest.mark.parametrize(
    ("trees", "milestones"), [(1, [1]), (3, [1, 2, 3]), (11, [2, 4, 6, 8, 10, 11]), (500, [*range(50, 501, 50)])]
)
def test_reports_about_ten_times_and_at_the_end(trees: int, milestones: list[int]) -> None:
    reported: list[int] = []

    fit_forest(
        Dataset(np.zeros((2, 1), np.float32), np.zeros(2)),
        Hyperparameters(n_estimators=trees),
        lambda grown, _seconds: reported.append(grown),
    )

    assert reported == milestones


def test_grows_the_same_forest_in_steps_as_at_once() -> None:
    features = np.random.default_rng(1).normal(size=(100, 3)).astype(np.float32)
    labels = features[:, 0].astype(np.float64)

    stepwise = fit_forest(
        Dataset(features, labels), Hyperparameters(n_estimators=25, min_samples_leaf=2), lambda *_: None
    )
    at_once = RandomForestRegressor(n_estimators=25, min_samples_leaf=2, max_features=0.5, random_state=42)

    np.testing.assert_allclose(stepwise.predict(features), at_once.fit(features, labels).predict(features))


def test_refuses_a_forest_that_no_model_file_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.arange(40, dtype=np.float32).reshape(40, 1)
    monkeypatch.setattr(forest, "MOST_NODES", 100)
    reported: list[int] = []

    with pytest.raises(HyperparameterError, match="more than the 100 a model file can hold; raise min_samples_leaf"):
        fit_forest(
            Dataset(features, features[:, 0].astype(np.float64)),
            Hyperparameters(n_estimators=50, min_samples_leaf=1),
            lambda trees, _seconds: reported.append(trees),
        )

    assert reported == []
