"""Sales of Big Mart by gradient-boosted trees, as SageMaker's built-in XGBoost takes and answers them."""

from typing import Final

from headrace.algorithms import find_algorithm
from headrace.recipes import big_mart
from headrace.recipes.recipe import Channel, ContainerImage, Recipe, Serving, Training

IMAGE: Final = ContainerImage(
    name="xgboost",
    folder="xgboost",
    description="Trains and serves gradient-boosted trees as the built-in XGBoost does",
    is_endpoint=True,
)
ALGORITHM: Final = "xgboost"
TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"

VALIDATION_RMSE: Final = "validation:rmse"
VALIDATION_ACCURACY: Final = "validation:accuracy"
VALIDATION_PRECISION: Final = "validation:precision"
VALIDATION_RECALL: Final = "validation:recall"
VALIDATION_F1: Final = "validation:f1"
VALIDATION_ERROR: Final = "validation:merror"
# What the built-in algorithm does not report: the same of the simplest possible answer.
BASELINE_RMSE: Final = "baseline:rmse"
BASELINE_ACCURACY: Final = "baseline:accuracy"
BASELINE_PRECISION: Final = "baseline:precision"
BASELINE_RECALL: Final = "baseline:recall"
BASELINE_F1: Final = "baseline:f1"
BASELINE_ERROR: Final = "baseline:merror"

BASELINES: Final = (
    BASELINE_RMSE,
    BASELINE_ACCURACY,
    BASELINE_PRECISION,
    BASELINE_RECALL,
    BASELINE_F1,
    BASELINE_ERROR,
)
_REPORTED: Final = (
    VALIDATION_RMSE,
    "validation:mae",
    "validation:r2",
    VALIDATION_ACCURACY,
    VALIDATION_PRECISION,
    VALIDATION_RECALL,
    VALIDATION_F1,
    VALIDATION_ERROR,
    "validation:mlogloss",
    "validation:error",
    "validation:logloss",
    "validation:auc",
    "train:rmse",
    "train:mlogloss",
    "train:merror",
    "train:logloss",
    "train:error",
)

RECIPE: Final = Recipe(
    name="xgboost",
    stack_id="Xgboost",
    data="a CSV file of Big Mart sales",
    preprocessing=big_mart.preprocess_into("label-first", {"--train-files": "train_files"}),
    training=Training(
        image=IMAGE,
        metrics={
            **{name: find_algorithm(ALGORITHM).metrics[name] for name in _REPORTED},
            **{name: rf"metric {name}=([0-9]+\.[0-9]+)" for name in BASELINES},
        },
        channels=(
            Channel(name=TRAIN_CHANNEL, content_type="text/csv", output="train", is_divided=True),
            Channel(name=VALIDATION_CHANNEL, content_type="text/csv", output="test"),
        ),
    ),
    serving=Serving(image=IMAGE, content_type="text/csv"),
    is_optional=True,
    algorithm=ALGORITHM,
)
