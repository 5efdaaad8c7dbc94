"""Sales of Big Mart by linear models, as SageMaker's built-in linear learner takes and answers them."""

from typing import Final

from headrace.algorithms import find_algorithm
from headrace.recipes import big_mart
from headrace.recipes.recipe import Channel, ContainerImage, Recipe, Serving, Training

IMAGE: Final = ContainerImage(
    name="linear_learner",
    folder="linear_learner",
    description="Trains and serves linear models as the built-in linear learner does",
    is_endpoint=True,
)
ALGORITHM: Final = "linear-learner"
TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"
RECORDIO: Final = "application/x-recordio-protobuf"

VALIDATION_MSE: Final = "validation:mse"
VALIDATION_RMSE: Final = "validation:rmse"
VALIDATION_ACCURACY: Final = "validation:multiclass_accuracy"
VALIDATION_PRECISION: Final = "validation:macro_precision"
VALIDATION_RECALL: Final = "validation:macro_recall"
VALIDATION_F1: Final = "validation:macro_f_beta"
VALIDATION_BINARY_ACCURACY: Final = "validation:binary_classification_accuracy"
# What the built-in algorithm does not report: the same of the simplest possible answer.
BASELINE_MSE: Final = "baseline:mse"
BASELINE_RMSE: Final = "baseline:rmse"
BASELINE_ACCURACY: Final = "baseline:multiclass_accuracy"
BASELINE_F1: Final = "baseline:macro_f_beta"
BASELINE_BINARY_ACCURACY: Final = "baseline:binary_classification_accuracy"

_OURS: Final = (
    VALIDATION_RMSE,
    BASELINE_MSE,
    BASELINE_RMSE,
    "baseline:absolute_loss",
    BASELINE_ACCURACY,
    BASELINE_F1,
    BASELINE_BINARY_ACCURACY,
    "baseline:binary_f_beta",
)
_REPORTED: Final = (
    "train:objective_loss",
    "train:objective_loss:final",
    "validation:objective_loss",
    "validation:objective_loss:final",
    VALIDATION_MSE,
    "validation:absolute_loss",
    VALIDATION_ACCURACY,
    "validation:multiclass_top_k_accuracy",
    "validation:dcg",
    VALIDATION_PRECISION,
    VALIDATION_RECALL,
    VALIDATION_F1,
    VALIDATION_BINARY_ACCURACY,
    "validation:binary_f_beta",
    "validation:precision",
    "validation:recall",
    "validation:roc_auc_score",
    "train:progress",
    "train:throughput",
)

RECIPE: Final = Recipe(
    name="linearlearner",
    stack_id="LinearLearner",
    data="a CSV file of Big Mart sales",
    preprocessing=big_mart.preprocess_into("recordio"),
    training=Training(
        image=IMAGE,
        metrics={
            **{name: find_algorithm(ALGORITHM).metrics[name] for name in _REPORTED},
            **{name: rf"metric {name}=([0-9]+\.[0-9]+)" for name in _OURS},
        },
        channels=(
            Channel(name=TRAIN_CHANNEL, content_type=RECORDIO, output="train"),
            Channel(name=VALIDATION_CHANNEL, content_type=RECORDIO, output="test"),
        ),
    ),
    serving=Serving(image=IMAGE, content_type="application/jsonlines"),
    is_optional=True,
    algorithm=ALGORITHM,
)
