"""Word vectors and text classification, as SageMaker's built-in BlazingText learns and answers them."""

from typing import Final

from headrace.algorithms import find_algorithm
from headrace.recipes.recipe import Channel, ContainerImage, Preprocessing, Recipe, Serving, Training

PREPROCESSING: Final = ContainerImage(
    name="text_preprocessing", folder="blazingtext/preprocessing", description="Turns text into sentences of words"
)
ENGINE: Final = ContainerImage(
    name="blazingtext",
    folder="blazingtext/engine",
    description="Trains and serves word vectors and text classifiers as the built-in BlazingText does",
    is_endpoint=True,
)
ALGORITHM: Final = "blazingtext"
SUPERVISED: Final = "supervised"
TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"
TEXT: Final = "text/plain"

TRAIN_ACCURACY: Final = "train:accuracy"
VALIDATION_ACCURACY: Final = "validation:accuracy"
# What the built-in algorithm does not report: how often the most frequent label is right.
BASELINE_ACCURACY: Final = "baseline:accuracy"

RECIPE: Final = Recipe(
    name="blazingtext",
    stack_id="BlazingText",
    data="a text file, a sentence a line",
    preprocessing=Preprocessing(
        image=PREPROCESSING,
        arguments={"--train-test-split-ratio": "train_test_split_ratio", "--seed": "seed"},
        input_folder="processing/input",
        output_folders={
            "train": "processing/train",
            "validation": "processing/validation",
            "record": "processing/record",
        },
    ),
    training=Training(
        image=ENGINE,
        metrics={
            **{name: find_algorithm(ALGORITHM).metrics[name] for name in (TRAIN_ACCURACY, VALIDATION_ACCURACY)},
            BASELINE_ACCURACY: rf"metric {BASELINE_ACCURACY}=([0-9]+\.[0-9]+)",
        },
        channels=(
            Channel(name=TRAIN_CHANNEL, content_type=TEXT, output="train"),
            Channel(name=VALIDATION_CHANNEL, content_type=TEXT, output="validation"),
        ),
    ),
    serving=Serving(image=ENGINE, content_type="application/jsonlines"),
    is_optional=True,
    algorithm=ALGORITHM,
)
