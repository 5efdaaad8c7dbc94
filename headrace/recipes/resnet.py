"""Image classification by a residual network, as SageMaker's built-in image classification takes and answers it."""

from typing import Final

from headrace.algorithms import find_algorithm
from headrace.recipes.recipe import ContainerImage, Recipe, Serving, Training

IMAGE: Final = ContainerImage(
    name="resnet",
    folder="resnet",
    description="Trains and serves residual networks as the built-in image classification does",
    is_endpoint=True,
    needs_torch=True,
)
ALGORITHM: Final = "image-classification"

TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"
TRAIN_LIST_CHANNEL: Final = "train_lst"
VALIDATION_LIST_CHANNEL: Final = "validation_lst"
CONTENT_TYPE: Final = "application/x-image"
RECORDS: Final = "application/x-recordio"

TRAIN_ACCURACY: Final = "train:accuracy"
VALIDATION_ACCURACY: Final = "validation:accuracy"
# What the built-in algorithm does not report: the same of the most frequent class.
BASELINE_ACCURACY: Final = "baseline:accuracy"

RECIPE: Final = Recipe(
    name="resnet",
    stack_id="Resnet",
    data="a folder with a sub-folder for each class",
    data_is_folder=True,
    training=Training(
        image=IMAGE,
        metrics={
            **find_algorithm(ALGORITHM).metrics,
            BASELINE_ACCURACY: rf"metric {BASELINE_ACCURACY}=([0-9]+\.[0-9]+)",
        },
        listed_content_type=CONTENT_TYPE,
    ),
    serving=Serving(image=IMAGE, content_type=CONTENT_TYPE),
    is_optional=True,
    algorithm=ALGORITHM,
)
