"""The settings of forecasts of daily demand."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from containers.forecasting.preprocessing.contract import DEFAULT_PREDICTION_LENGTH, MOST_PREDICTION_LENGTH
from headrace.recipes import forecasting
from stacks.settings.engines import AlgorithmTrainingSettings, EngineSettings
from stacks.settings.jobs import Hyperparameters, ProcessingSettings
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import PreprocessedSettings

_HORIZON: Final = "prediction_length"
_QUANTILES: Final = "[0.1, 0.5, 0.9]"
# What DeepAR must be told; trees have no use for it.
_EPOCHS: Final = 100
_OWN_RULE: Final = {
    "metric": forecasting.TEST_SMAPE,
    "direction": "at_most",
    "threshold": forecasting.BASELINE_SMAPE,
}


class HorizonSettings(ProcessingSettings):
    """The processing job of the forecasts: its machine, its limits and how many days are held out."""

    prediction_length: Annotated[
        int,
        Field(ge=1, le=MOST_PREDICTION_LENGTH),
        Setting("how many days are forecast, and held out for the test", cost=NOTHING, change=NEXT_EXECUTION),
    ] = DEFAULT_PREDICTION_LENGTH


class QuantileTrainingSettings(AlgorithmTrainingSettings):
    """The training job of the forecasts."""

    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of DeepAR, checked against its published table, and two of our own engine; `prediction_length`, "
            "`context_length`, `time_freq`, `epochs` and `test_quantiles` need not be given "
            "([forecasting](forecasting.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})


class ForecastingSettings(EngineSettings, PreprocessedSettings):
    """Forecasts of daily demand, by our own engine or by SageMaker's built-in DeepAR."""

    preprocessing: HorizonSettings = HorizonSettings()
    training: QuantileTrainingSettings = QuantileTrainingSettings()

    @property
    def own_hyperparameters(self) -> frozenset[str]:
        """How our own engine chooses and calibrates, and what decides instead of chance."""
        return frozenset({"calibration_windows", "seed"})

    @classmethod
    def fill_hyperparameters(cls, preprocessing: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What follows from the horizon."""
        days = preprocessing.get(_HORIZON, DEFAULT_PREDICTION_LENGTH)
        implied = {
            "time_freq": "D",
            _HORIZON: days,
            "context_length": days,
            "epochs": _EPOCHS,
            "test_quantiles": _QUANTILES,
        }
        return {**implied, **given}

    @classmethod
    def choose_rule(cls, _preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any]:
        """Forecasts must be off by no more than those of the seasonal naive."""
        return _OWN_RULE

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        days, given = self.preprocessing.prediction_length, self.training.hyperparameters
        if str(given.get(_HORIZON)) != str(days):
            raise ValueError(
                f"training.hyperparameters.{_HORIZON}: found {given.get(_HORIZON)}, but preprocessing.{_HORIZON} is "
                f"{days}, and a model is tested on the days that are held out; leave the first out"
            )
        if given.get("time_freq") != "D":
            raise ValueError(
                f"training.hyperparameters.time_freq: found {given.get('time_freq')!r}, but preprocessing reads a row "
                "a day; use D"
            )
        return self
