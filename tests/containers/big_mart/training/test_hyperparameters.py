import pytest

from containers.big_mart.training import contract
from containers.big_mart.training.hyperparameters import (
    Hyperparameters,
    describe_hyperparameters,
    parse_hyperparameters,
)
from containers.shared.job.training_failures import HyperparameterError


def test_has_the_names_of_the_contract() -> None:
    assert list(describe_hyperparameters(Hyperparameters())) == [
        contract.N_ESTIMATORS,
        contract.MIN_SAMPLES_LEAF,
        contract.MAX_FEATURES,
        contract.MAX_DEPTH,
        contract.SEED,
    ]


def test_grows_500_trees_when_nothing_is_said() -> None:
    assert parse_hyperparameters({}) == Hyperparameters(
        n_estimators=500, min_samples_leaf=40, max_features=0.5, max_depth=None, seed=42
    )


def test_takes_the_texts_of_a_job() -> None:
    texts = {"n_estimators": "50", "min_samples_leaf": "1", "max_features": "sqrt", "max_depth": "8", "seed": "0"}

    assert parse_hyperparameters(texts) == Hyperparameters(
        n_estimators=50, min_samples_leaf=1, max_features="sqrt", max_depth=8, seed=0
    )


def test_takes_none_as_no_limit_of_depth() -> None:
    assert parse_hyperparameters({"max_depth": "None"}).max_depth is None


def test_ignores_what_sagemaker_adds() -> None:
    assert parse_hyperparameters({"_tuning_objective_metric": "x", "sagemaker_region": "y"}) == Hyperparameters()


def test_lists_the_known_names_when_one_is_unknown() -> None:
    with pytest.raises(HyperparameterError) as raised:
        parse_hyperparameters({"n_trees": "5"})

    assert str(raised.value) == (
        "unknown hyperparameter n_trees; known are n_estimators, min_samples_leaf, max_features, max_depth, seed"
    )


@pytest.mark.parametrize(
    ("name", "text", "lowest"),
    [
        ("n_estimators", "0", 1),
        ("n_estimators", "1.5", 1),
        ("min_samples_leaf", "-1", 1),
        ("max_depth", "0", 1),
        ("max_depth", "", 1),
        ("seed", "2147483648", 0),
        ("seed", "9" * 5000, 0),
    ],
)
def test_says_which_whole_numbers_are_possible(name: str, text: str, lowest: int) -> None:
    with pytest.raises(HyperparameterError) as raised:
        parse_hyperparameters({name: text})

    assert str(raised.value) == (f"hyperparameter {name}: {text!r} is not a whole number from {lowest} to 2147483647")


@pytest.mark.parametrize("text", ["0", "1.01", "nan", "auto", "-0.5"])
def test_says_what_max_features_may_be(text: str) -> None:
    with pytest.raises(HyperparameterError) as raised:
        parse_hyperparameters({"max_features": text})

    assert str(raised.value) == (
        f"hyperparameter max_features: {text!r} is not a fraction above 0 and up to 1, nor one of sqrt, log2"
    )
