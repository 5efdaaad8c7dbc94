"""Detection of objects in photographs, as SageMaker's built-in object detection takes and answers it."""

from typing import Final

from headrace.algorithms import find_algorithm
from headrace.recipes.recipe import ContainerImage, Recipe, Serving, Training

IMAGE: Final = ContainerImage(
    name="detection",
    folder="detection",
    description="Trains and serves detectors of objects as the built-in object detection does",
    is_endpoint=True,
    needs_torch=True,
)
ALGORITHM: Final = "object-detection"

TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"
CONTENT_TYPE: Final = "image/jpeg"
RECORDS: Final = "application/x-recordio"
# Of the manifests, in the order in which the algorithm reads them.
ATTRIBUTE_NAMES: Final = ("source-ref", "bounding-box")
# Where a run brings its photographs in the raw bucket, and a channel by default reads them.
PHOTOGRAPHS_PREFIX: Final = "detection/photographs/"

VALIDATION_MAP: Final = "validation:mAP"
# What the built-in algorithm does not report: the same of the mean box of each class.
BASELINE_MAP: Final = "baseline:mAP"

RECIPE: Final = Recipe(
    name="detection",
    stack_id="Detection",
    data="a folder with photographs and their boxes in COCO's `annotations.json`",
    data_is_folder=True,
    training=Training(
        image=IMAGE,
        metrics={
            **find_algorithm(ALGORITHM).metrics,
            BASELINE_MAP: rf"metric {BASELINE_MAP}=([0-9]+\.[0-9]+)",
        },
        listed_content_type=CONTENT_TYPE,
    ),
    serving=Serving(image=IMAGE, content_type=CONTENT_TYPE),
    is_optional=True,
    algorithm=ALGORITHM,
)
