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
PACKED: Final = "application/x-headrace-packed"

TRAIN_ACCURACY: Final = "train:accuracy"
VALIDATION_ACCURACY: Final = "validation:accuracy"
# What the built-in algorithm does not report: the same of the most frequent class.
BASELINE_ACCURACY: Final = "baseline:accuracy"

# Of each epoch over a packed set: how fast it went, how much of it the device waited, and what it cost.
FED: Final = ("train:images_per_second", "train:waited_share", "train:dollars_per_epoch")

RECIPE: Final = Recipe(
    name="resnet",
    stack_id="Resnet",
    data="a folder with a sub-folder for each class",
    data_is_folder=True,
    training=Training(
        image=IMAGE,
        metrics={
            **find_algorithm(ALGORITHM).metrics,
            **{name: rf"metric {name}=([0-9]+\.[0-9]+)" for name in (BASELINE_ACCURACY, *FED)},
        },
        listed_content_type=CONTENT_TYPE,
    ),
    serving=Serving(image=IMAGE, content_type=CONTENT_TYPE),
    is_optional=True,
    algorithm=ALGORITHM,
)
