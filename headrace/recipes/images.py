"""Image classification: a linear classifier over features of photographs."""

from typing import Final

from headrace.recipes.recipe import ContainerImage, Recipe

TRAINING: Final = ContainerImage(
    name="image_training", folder="image_training", description="Trains an image classifier"
)
INFERENCE: Final = ContainerImage(
    name="image_inference", folder="image_inference", description="Serves an image classifier"
)

RECIPE: Final = Recipe(name="images", stack_id="Images", images=(TRAINING, INFERENCE))
