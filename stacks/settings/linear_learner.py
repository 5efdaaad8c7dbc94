"""The settings of the linear learner on the sales of Big Mart."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from headrace.recipes import linear_learner
from stacks.settings.binned import DEFAULT_BINS, BinnedPreprocessingSettings, refuse_one_range
from stacks.settings.engines import AlgorithmTrainingSettings, EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import PreprocessedSettings

# Encoded rows have a number for each column but the item and the sales.
_FEATURES: Final = 10
_BATCH: Final = 100
_TYPE: Final = "predictor_type"
_CLASSES: Final = "num_classes"
_MORE: Final = -0.1
_LESS: Final = -0.05


class LinearTrainingSettings(AlgorithmTrainingSettings):
    """The training job of the linear model."""

    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of the linear learner, checked against its published table; what they leave out of "
            "`predictor_type`, `num_classes`, `feature_dim` and `mini_batch_size` follows from `bins` and the data "
            "([linear learner](linear-learner.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})


class LinearLearnerSettings(EngineSettings, PreprocessedSettings):
    """Sales of Big Mart by linear models, ours or those of SageMaker's built-in linear learner."""

    preprocessing: BinnedPreprocessingSettings = BinnedPreprocessingSettings()
    training: LinearTrainingSettings = LinearTrainingSettings()

    @classmethod
    def fill_hyperparameters(
        cls, preprocessing: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """What follows from how many ranges there are, and from the encoding."""
        bins = preprocessing.get("bins", DEFAULT_BINS)
        if not isinstance(bins, int):
            return None
        return {**_list_implied(bins), "feature_dim": _FEATURES, "mini_batch_size": _BATCH, **given}

    @classmethod
    def choose_rule(cls, preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any]:
        """A model must find more of the ranges than the simplest answer does, or err less."""
        match preprocessing.get("bins", DEFAULT_BINS):
            case 0:
                metric, threshold = linear_learner.VALIDATION_MSE, linear_learner.BASELINE_MSE
                return {"metric": metric, "direction": "at_most", "threshold": threshold, "margin": _LESS}
            case 2:
                # The upper half of the range has so few rows that more than this may be out of reach.
                metric, threshold = linear_learner.VALIDATION_BINARY_ACCURACY, linear_learner.BASELINE_BINARY_ACCURACY
                return {"metric": metric, "direction": "at_least", "threshold": threshold}
        # Most rows are in one range, so that its number alone is right nearly as often as any model.
        metric, threshold = linear_learner.VALIDATION_F1, linear_learner.BASELINE_F1
        return {"metric": metric, "direction": "at_least", "threshold": threshold, "margin": _MORE}

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        bins, given = self.preprocessing.bins, self.training.hyperparameters
        refuse_one_range(bins)
        fitting = str(_list_implied(bins)[_TYPE])
        if (asked := str(given.get(_TYPE))) != fitting:
            raise ValueError(
                f"training.hyperparameters.{_TYPE}: '{asked}' is not for what preprocessing.bins {bins} makes; "
                f"use {fitting}, or other bins: 0 for a regressor, 2 for two classes, more for several"
            )
        if bins > 2 and str(given.get(_CLASSES)) != str(bins):
            raise ValueError(
                f"training.hyperparameters.{_CLASSES}: {given.get(_CLASSES)}, but preprocessing.bins makes {bins}; "
                "make them the same"
            )
        return self


def _list_implied(bins: int) -> Mapping[str, str | int]:
    if not bins:
        return {_TYPE: "regressor"}
    if bins == 2:
        return {_TYPE: "binary_classifier"}
    return {_TYPE: "multiclass_classifier", _CLASSES: bins}
