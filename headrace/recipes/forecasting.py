"""Forecasts of daily demand: quantiles of gradient-boosted trees, asked and answered in the form of DeepAR."""

from typing import Final

from headrace.recipes.recipe import Channel, ContainerImage, Preprocessing, Recipe, Serving, Training

PREPROCESSING: Final = ContainerImage(
    name="forecast_preprocessing",
    folder="forecasting/preprocessing",
    description="Checks daily demand and turns it into series",
)
# As with DeepAR, one container image trains and serves.
ENGINE: Final = ContainerImage(
    name="forecasting",
    folder="forecasting/engine",
    description="Trains and serves quantiles of daily demand",
    is_endpoint=True,
)

ALGORITHM: Final = "deepar"
JSON_LINES: Final = "application/jsonlines"

TEST_SMAPE: Final = "test:smape"
TEST_QUANTILE_LOSS: Final = "test:mean_wQuantileLoss"
TEST_RMSE: Final = "test:RMSE"
TEST_COVERAGE_ERROR: Final = "test:coverage_error"
BASELINE_SMAPE: Final = "baseline:smape"
BASELINE_QUANTILE_LOSS: Final = "baseline:mean_wQuantileLoss"

RECIPE: Final = Recipe(
    name="forecasting",
    stack_id="Forecasting",
    data="a CSV file",
    preprocessing=Preprocessing(
        image=PREPROCESSING,
        arguments={"--prediction-length": "prediction_length"},
        input_folder="processing/input",
        output_folders={
            "train": "processing/train",
            "test": "processing/test",
            "categories": "processing/categories",
        },
    ),
    training=Training(
        image=ENGINE,
        metrics={
            name: rf"metric {name}=([0-9]+\.[0-9]+)"
            for name in (
                TEST_SMAPE,
                TEST_QUANTILE_LOSS,
                TEST_RMSE,
                TEST_COVERAGE_ERROR,
                BASELINE_SMAPE,
                BASELINE_QUANTILE_LOSS,
            )
        },
        channels=(
            Channel(name="train", content_type=JSON_LINES, output="train"),
            Channel(name="test", content_type=JSON_LINES, output="test"),
        ),
    ),
    serving=Serving(image=ENGINE, content_type=JSON_LINES),
    is_optional=True,
    algorithm=ALGORITHM,
)
