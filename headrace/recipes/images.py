"""Image classification: a linear classifier over features of photographs."""

from typing import Final

from headrace.recipes.recipe import ContainerImage, NormalizerVariables, Recipe, Serving, Training

TRAINING: Final = ContainerImage(
    name="image_training", folder="images/training", description="Trains an image classifier"
)
INFERENCE: Final = ContainerImage(
    name="image_inference", folder="images/inference", description="Serves an image classifier", is_endpoint=True
)

# The channels, their content type and their meaning are those of SageMaker's built-in image classification.
TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"
TRAIN_LIST_CHANNEL: Final = "train_lst"
VALIDATION_LIST_CHANNEL: Final = "validation_lst"
CONTENT_TYPE: Final = "application/x-image"

VALIDATION_ACCURACY: Final = "validation:accuracy"
VALIDATION_TOP5_ACCURACY: Final = "validation:top5_accuracy"
VALIDATION_PRECISION: Final = "validation:precision"
VALIDATION_RECALL: Final = "validation:recall"
VALIDATION_F1: Final = "validation:f1"
BASELINE_ACCURACY: Final = "baseline:accuracy"
TRAIN_ACCURACY: Final = "train:accuracy"

NORMALIZER: Final = NormalizerVariables(
    address="HEADRACE_IMAGES",
    prefix="HEADRACE_IMAGES_PREFIX",
    options="HEADRACE_IMAGES_OPTIONS",
    connections="HEADRACE_IMAGES_CONNECTIONS",
)

RECIPE: Final = Recipe(
    name="images",
    stack_id="Images",
    data="a folder with a sub-folder for each class",
    data_is_folder=True,
    training=Training(
        image=TRAINING,
        metrics={
            name: rf"metric {name}=([0-9]+\.[0-9]+)"
            for name in (
                VALIDATION_ACCURACY,
                VALIDATION_TOP5_ACCURACY,
                VALIDATION_PRECISION,
                VALIDATION_RECALL,
                VALIDATION_F1,
                BASELINE_ACCURACY,
                TRAIN_ACCURACY,
            )
        },
        listed_content_type=CONTENT_TYPE,
        normalizer=NORMALIZER,
    ),
    serving=Serving(image=INFERENCE, content_type=CONTENT_TYPE),
)
