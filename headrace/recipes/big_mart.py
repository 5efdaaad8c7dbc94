"""Sales of Big Mart: a random forest over cleaned and encoded rows."""

from collections.abc import Mapping
from typing import Final

from headrace.recipes.recipe import Channel, ContainerImage, Preprocessing, Recipe, Serving, Training

PREPROCESSING: Final = ContainerImage(
    name="preprocessing", folder="big_mart/preprocessing", description="Turns raw Big Mart rows into features"
)
TRAINING: Final = ContainerImage(
    name="training", folder="big_mart/training", description="Trains a random forest on Big Mart features"
)
INFERENCE: Final = ContainerImage(
    name="inference", folder="big_mart/inference", description="Serves predictions of Big Mart sales", is_endpoint=True
)

VALIDATION_RMSE: Final = "validation:rmse"
VALIDATION_R2: Final = "validation:r2"
BASELINE_RMSE: Final = "baseline:rmse"
BASELINE_R2: Final = "baseline:r2"
TRAIN_RMSE: Final = "train:rmse"

RECIPE: Final = Recipe(
    name="bigmart",
    stack_id="BigMart",
    data="a CSV file",
    preprocessing=Preprocessing(
        image=PREPROCESSING,
        arguments={"--train-test-split-ratio": "train_test_split_ratio", "--seed": "seed"},
        input_folder="processing/input",
        output_folders={
            "train": "processing/train",
            "test": "processing/test",
            "encoding": "processing/encoding",
        },
        profiles=True,
    ),
    training=Training(
        image=TRAINING,
        metrics={
            name: rf"metric {name}=(-?[0-9]+\.[0-9]+)"
            for name in (VALIDATION_RMSE, VALIDATION_R2, BASELINE_RMSE, BASELINE_R2, TRAIN_RMSE)
        },
        channels=(
            Channel(name="train", content_type="text/csv", output="train"),
            Channel(name="validation", content_type="text/csv", output="test"),
            Channel(name="encoding", content_type="application/json", output="encoding"),
        ),
    ),
    serving=Serving(image=INFERENCE, content_type="text/csv"),
)


def preprocess_into(layout: str, arguments: Mapping[str, str] | None = None) -> Preprocessing:
    """Preprocessing that puts labels, ranges of the sales if that is asked for, and features into one file.

    Args:
        layout: The form of the file.
        arguments: More arguments of the program, each with the key of the setting that it takes its value from.
    """
    return Preprocessing(
        image=PREPROCESSING,
        arguments={
            "--train-test-split-ratio": "train_test_split_ratio",
            "--seed": "seed",
            "--bins": "bins",
            **(arguments or {}),
        },
        input_folder="processing/input",
        output_folders={
            "train": "processing/train",
            "test": "processing/test",
            "encoding": "processing/encoding",
        },
        options=("--layout", layout),
    )
