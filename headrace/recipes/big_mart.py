"""Sales of Big Mart: a random forest over cleaned and encoded rows."""

from typing import Final

from headrace.recipes.recipe import ContainerImage, Recipe

PREPROCESSING: Final = ContainerImage(
    name="preprocessing", folder="preprocessing", description="Turns raw Big Mart rows into features"
)
TRAINING: Final = ContainerImage(
    name="training", folder="training", description="Trains a random forest on Big Mart features"
)
INFERENCE: Final = ContainerImage(
    name="inference", folder="inference", description="Serves predictions of Big Mart sales"
)

RECIPE: Final = Recipe(name="bigmart", stack_id="BigMart", images=(PREPROCESSING, TRAINING, INFERENCE))
