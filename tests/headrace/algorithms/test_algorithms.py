"""What is known of built-in algorithms, and how it refuses what they do not have."""

import re
from typing import Any

import pytest

from headrace.algorithms import Algorithm, BuiltInAlgorithmError, find_algorithm, find_by_uri
from headrace.algorithms.reading import ALGORITHMS

XGBOOST = find_algorithm("xgboost")
LINEAR_LEARNER = find_algorithm("linear-learner")
NEEDED = {"num_round": 50}


@pytest.fixture(params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest) -> Algorithm:
    """Each algorithm that is known."""
    return find_algorithm(request.param)


def test_says_where_each_fact_was_read(algorithm: Algorithm) -> None:
    assert algorithm.sources
    assert all(re.search(r"https://\S+", source) for source in algorithm.sources.values())


def test_has_an_account_of_twelve_digits_in_each_region(algorithm: Algorithm) -> None:
    assert len(algorithm.accounts) > 30
    assert all(re.fullmatch(r"\d{12}", account) for account in algorithm.accounts.values())


def test_uses_a_version_that_is_not_refused(algorithm: Algorithm) -> None:
    assert algorithm.find_version(algorithm.default_version).modes


def test_reads_one_number_of_each_metric(algorithm: Algorithm) -> None:
    assert {re.compile(regex).groups for regex in algorithm.metrics.values()} == {1}


def test_takes_its_own_defaults(algorithm: Algorithm) -> None:
    for name, hyperparameter in algorithm.hyperparameters.items():
        if hyperparameter.default is not None:
            assert hyperparameter.parse(hyperparameter.default) is not None, name


def test_finds_the_algorithm_of_a_container_image_wherever_it_is(algorithm: Algorithm) -> None:
    for region in algorithm.accounts:
        uri = algorithm.name_image(region, algorithm.default_version)
        assert find_by_uri(uri) == (algorithm, algorithm.default_version)


@pytest.mark.parametrize(
    "uri",
    [
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        "492215442770.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        "492215442770.dkr.ecr.eu-central-1.amazonaws.com/other:3.2-0",
        "sagemaker-xgboost:3.2-0",
    ],
)
def test_takes_no_other_container_image_for_an_algorithm(uri: str) -> None:
    assert find_by_uri(uri) is None


def test_knows_no_other_algorithm() -> None:
    with pytest.raises(KeyError):
        find_algorithm("random-forest")


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("latest", "XGBoost has no version 'latest', which would change under a model; choose one of 1.2-1,"),
        ("3.2", "XGBoost has no version '3.2'; choose one of 1.2-1,"),
        ("1", "XGBoost 1: AWS has deprecated it"),
        ("0.90-2", "XGBoost 0.90-2: AWS has deprecated it"),
    ],
)
def test_refuses_a_version_that_should_not_be_used(version: str, reason: str) -> None:
    with pytest.raises(BuiltInAlgorithmError, match=re.escape(reason)):
        XGBOOST.find_version(version)


# What each version of XGBoost may be used with: input modes, then families of instances whose GPUs it uses.
MATRIX = {
    "1": None,
    "0.90-1": None,
    "0.90-2": None,
    "1.0-1": None,
    "1.2-1": ({"File", "FastFile", "Pipe"}, set()),
    "1.2-2": ({"File", "FastFile", "Pipe"}, {"p2", "p3", "g4dn", "g5"}),
    "1.3-1": ({"File", "FastFile", "Pipe"}, {"p2", "p3", "g4dn", "g5"}),
    "1.5-1": ({"File", "FastFile", "Pipe"}, {"p2", "p3", "g4dn", "g5"}),
    "1.7-1": ({"File", "FastFile", "Pipe"}, {"p3", "g4dn", "g5"}),
    "3.0-5": ({"File", "FastFile", "Pipe"}, {"p3", "g4dn", "g5"}),
    "3.2-0": ({"File", "FastFile"}, {"p3", "g4dn", "g5"}),
}
GPU = {"tree_method": "gpu_hist"}


def test_knows_each_version_of_xgboost() -> None:
    assert XGBOOST.versions.keys() == MATRIX.keys()


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
@pytest.mark.parametrize("version", [version for version, facts in MATRIX.items() if facts])
def test_refuses_a_mode_that_a_version_has_lost(version: str, mode: str) -> None:
    modes, _ = MATRIX[version] or (set(), set())
    if mode in modes:
        XGBOOST.check_mode(version, mode)
        return

    with pytest.raises(BuiltInAlgorithmError, match=re.escape(f"XGBoost {version} has no {mode} mode; 1.2-1,")):
        XGBOOST.check_mode(version, mode)


@pytest.mark.parametrize("family", ["p2", "p3", "g4dn", "g5", "m5"])
@pytest.mark.parametrize("version", [version for version, facts in MATRIX.items() if facts])
def test_refuses_gpus_that_a_version_does_not_use(version: str, family: str) -> None:
    _, families = MATRIX[version] or (set(), set())
    instance = f"ml.{family}.xlarge"
    XGBOOST.check_gpus(version, {"tree_method": "hist"}, instance)
    if family in families:
        XGBOOST.check_gpus(version, GPU, instance)
        return

    reason = (
        f"and {instance} is none of them" if families else "uses no GPUs, which tree_method gpu_hist asks for; 1.2-2,"
    )
    with pytest.raises(BuiltInAlgorithmError, match=re.escape(reason)):
        XGBOOST.check_gpus(version, GPU, instance)


@pytest.mark.parametrize("version", [version for version, facts in MATRIX.items() if not facts])
def test_uses_no_version_that_aws_has_deprecated(version: str) -> None:
    for check in (
        lambda: XGBOOST.check_mode(version, "File"),
        lambda: XGBOOST.check_gpus(version, GPU, "ml.g5.xlarge"),
        lambda: XGBOOST.name_image("eu-central-1", version),
    ):
        with pytest.raises(BuiltInAlgorithmError, match=f"XGBoost {version}: AWS has deprecated it"):
            check()


def test_refuses_an_instance_that_it_does_not_train_on() -> None:
    networks = find_algorithm("image-classification")
    networks.check_instance("ml.g5.xlarge")
    XGBOOST.check_instance("ml.m5.xlarge")

    with pytest.raises(BuiltInAlgorithmError, match=r"image classification trains only on instances with GPUs of the"):
        networks.check_instance("ml.m5.xlarge")


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"image_shape": 299}, "image_shape: found 299, allowed: a whole number from 300"),
        ({"nms_threshold": 0}, "nms_threshold: found 0, allowed: a number above 0 up to 1"),
        ({"overlap_threshold": 1.1}, "overlap_threshold: found 1.1, allowed: a number above 0 up to 1"),
        ({"learning_rate": 0}, "learning_rate: found 0, allowed: a number above 0 up to 1"),
        ({"weight_decay": 1}, "weight_decay: found 1, allowed: a number above 0 below 1"),
        ({"base_network": "resnet-18"}, "base_network: found 'resnet-18', allowed: one of vgg-16, resnet-50"),
        ({"optimizer": "nag"}, "optimizer: found 'nag', allowed: one of sgd, adam, rmsprop, adadelta"),
        ({"num_layers": 18}, "num_layers: object detection has no such hyperparameter"),
    ],
)
def test_names_what_detection_does_not_take(given: dict[str, Any], mistake: str) -> None:
    needed = {"num_classes": 4, "num_training_samples": 200}

    (found,) = find_algorithm("object-detection").list_mistakes({**needed, **given})

    assert found.startswith(mistake)


def test_refuses_a_region_without_a_container_image() -> None:
    with pytest.raises(BuiltInAlgorithmError, match="XGBoost has no container image in mx-central-1"):
        XGBOOST.name_image("mx-central-1", "3.2-0")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"max_depth": 5, "eta": "0.2", "gamma": 4, "min_child_weight": 6, "subsample": 0.7},
        {"objective": "multi:softmax", "num_class": 4},
        {"eval_metric": "mae, rmse"},
        {"eval_metric": "error@0.7"},
        {"seed": -5},
    ],
)
def test_takes_what_the_published_table_has(given: dict[str, Any]) -> None:
    assert list(XGBOOST.list_mistakes({**NEEDED, **given})) == []


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"max_dept": 5}, "max_dept: XGBoost has no such hyperparameter; did you mean max_depth?"),
        ({"silent": 0}, "silent: XGBoost does not have it any more; use verbosity (0 for silence)"),
        ({"max_depth": 5.5}, "max_depth: found 5.5, allowed: a whole number from 0"),
        ({"max_depth": "1_0"}, "max_depth: found '1_0', allowed: a whole number from 0"),
        ({"eta": 1.5}, "eta: found 1.5, allowed: a number from 0 up to 1"),
        ({"eta": "nan"}, "eta: found 'nan', allowed: a number from 0 up to 1"),
        ({"subsample": 0}, "subsample: found 0, allowed: a number above 0 up to 1"),
        ({"tweedie_variance_power": 2}, "tweedie_variance_power: found 2, allowed: a number above 1 below 2"),
        ({"booster": "tree"}, "booster: found 'tree', allowed: one of gbtree, gblinear, dart"),
        ({"num_round": 0}, "num_round: found 0, allowed: a whole number from 1"),
        (
            {"objective": "multi:softmax"},
            "num_class: missing, and objective multi:softmax needs it; a whole number from 2",
        ),
        (
            {"num_class": 4},
            "num_class: only for objective multi:softmax or multi:softprob, but it is reg:squarederror; leave it out",
        ),
    ],
)
def test_names_what_the_published_table_does_not_have(given: dict[str, Any], mistake: str) -> None:
    assert list(XGBOOST.list_mistakes({**NEEDED, **given})) == [mistake]


def test_names_a_hyperparameter_that_is_missing() -> None:
    assert list(XGBOOST.list_mistakes({})) == ["num_round: missing; a whole number from 1"]


def test_names_the_metrics_there_are_for_one_that_there_is_not() -> None:
    (mistake,) = XGBOOST.list_mistakes({**NEEDED, "eval_metric": "rsme"})

    assert mistake.startswith("eval_metric: found 'rsme', allowed: some of accuracy, ")


@pytest.mark.parametrize(
    "given",
    [
        {"predictor_type": "regressor", "loss": "huber_loss"},
        {"predictor_type": "regressor", "learning_rate": "auto", "wd": "0.01"},
        {"predictor_type": "regressor", "use_bias": "False", "normalize_data": "auto"},
        {"predictor_type": "multiclass_classifier", "num_classes": 4, "loss": "softmax_loss"},
        {"predictor_type": "binary_classifier", "positive_example_weight_mult": "balanced"},
    ],
)
def test_takes_words_and_booleans_where_the_published_table_has_them(given: dict[str, Any]) -> None:
    assert list(LINEAR_LEARNER.list_mistakes(given)) == []


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"predictor_type": "regression"}, "predictor_type: found 'regression', allowed: one of binary_classifier,"),
        ({"predictor_type": "regressor", "wd": "balanced"}, "wd: found 'balanced', allowed: a number from 0 or auto"),
        (
            {"predictor_type": "regressor", "use_bias": "1"},
            "use_bias: found '1', allowed: true or false",
        ),
        (
            {"predictor_type": "regressor", "loss": "logistic"},
            "loss: logistic is not for predictor_type regressor; use auto or squared_loss or absolute_loss or",
        ),
        (
            {"predictor_type": "regressor", "num_classes": 4},
            "num_classes: only for predictor_type multiclass_classifier, but it is regressor; leave it out",
        ),
        (
            {"predictor_type": "multiclass_classifier", "num_classes": 2},
            "num_classes: found 2, allowed: a whole number from 3 up to 1e+06",
        ),
    ],
)
def test_refuses_what_a_predictor_does_not_have(given: dict[str, Any], mistake: str) -> None:
    (found,) = LINEAR_LEARNER.list_mistakes(given)

    assert found.startswith(mistake)


def test_reads_booleans_as_sdks_write_them() -> None:
    use_bias = LINEAR_LEARNER.hyperparameters["use_bias"]

    assert [use_bias.parse(text) for text in ("true", "True", "false", "False")] == [True, True, False, False]
