"""The settings of XGBoost on the sales of Big Mart."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from headrace.algorithms.boosted_trees import ON_CPUS, list_own_mistakes
from headrace.algorithms.hyperparameters import list_untaken
from headrace.recipes import xgboost
from stacks.settings.binned import DEFAULT_BINS, BinnedPreprocessingSettings, refuse_one_range
from stacks.settings.engines import AlgorithmTrainingSettings, EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import PreprocessedSettings

_OF_TREES: Final[Mapping[str, str | int | float]] = {
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.7,
    "num_round": 50,
}
_OF_NUMBERS: Final[Mapping[str, str | int | float]] = {
    "max_depth": 4,
    "eta": 0.05,
    "min_child_weight": 40,
    "subsample": 0.7,
    "num_round": 100,
}
_CLASSES: Final = "multi:"
_RULE_OF_CLASSES: Final = {
    "metric": xgboost.VALIDATION_ERROR,
    "direction": "at_most",
    "threshold": xgboost.BASELINE_ERROR,
    "margin": -0.05,
}
_RULE_OF_NUMBERS: Final = {
    "metric": xgboost.VALIDATION_RMSE,
    "direction": "at_most",
    "threshold": xgboost.BASELINE_RMSE,
    "margin": -0.05,
}


class DealtPreprocessingSettings(BinnedPreprocessingSettings):
    """The processing job of the sales, whose training rows are dealt out to the files that instances divide."""

    train_files: Annotated[
        int,
        Field(ge=1, le=100),
        Setting(
            "how many files the training rows are dealt out to; at least as many as `training.instance_count`",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = 1


class BoosterSettings(AlgorithmTrainingSettings):
    """The training job of the trees."""

    instance_count: Annotated[
        int,
        Field(ge=1, le=20),
        Setting(
            "on how many machines one model grows, each from its part of the training files",
            cost="so many times its machine",
            change=NEXT_EXECUTION,
        ),
    ] = 1
    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of XGBoost, checked against its published table; what they leave out of `objective`, `num_class` "
            "and `eval_metric` follows from `bins`, and so do all others where none is given ([XGBoost](xgboost.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})

    @property
    def instances(self) -> int:
        """How many machines it has."""
        return self.instance_count


class XgboostSettings(EngineSettings, PreprocessedSettings):
    """Sales of Big Mart by gradient-boosted trees, ours or those of SageMaker's built-in XGBoost."""

    preprocessing: DealtPreprocessingSettings = DealtPreprocessingSettings()
    training: BoosterSettings = BoosterSettings()

    @classmethod
    def fill_hyperparameters(
        cls, preprocessing: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """What follows from how many ranges there are."""
        bins = preprocessing.get("bins", DEFAULT_BINS)
        if not isinstance(bins, int):
            return None
        return {**_list_implied(bins), **(given or (_OF_TREES if bins else _OF_NUMBERS))}

    @classmethod
    def choose_rule(cls, preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any]:
        """A model must make fewer mistakes than the simplest answer, or err less."""
        return _RULE_OF_CLASSES if preprocessing.get("bins", DEFAULT_BINS) else _RULE_OF_NUMBERS

    def list_own_mistakes(self) -> Iterator[str]:
        """What our own program cannot do."""
        given = self.training.hyperparameters
        yield from list_own_mistakes(given)
        yield from list_untaken(given, {"tree_method": ON_CPUS})

    @model_validator(mode="after")
    def _check_instances(self) -> Self:
        instances, files = self.training.instance_count, self.preprocessing.train_files
        if instances > files:
            raise ValueError(
                f"training.instance_count: {instances} instances divide the training files, and "
                f"preprocessing.train_files makes {files}; make it {instances} or more"
            )
        tree_method = self.training.hyperparameters.get("tree_method")
        if instances > 1 and tree_method == "exact":
            raise ValueError(
                f"training.hyperparameters.tree_method: exact grows trees on one instance, and "
                f"training.instance_count is {instances}; use hist"
            )
        return self

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        bins, given = self.preprocessing.bins, self.training.hyperparameters
        objective, classes = str(given.get("objective")), given.get("num_class")
        refuse_one_range(bins)
        if bins > 2 and not objective.startswith(_CLASSES):
            raise ValueError(
                f"training.hyperparameters.objective: '{objective}' is not for {bins} classes; use multi:softmax or "
                "multi:softprob, or set preprocessing.bins to 0"
            )
        if objective.startswith(_CLASSES) and str(classes) != str(bins):
            raise ValueError(
                f"training.hyperparameters.num_class: {classes}, but preprocessing.bins makes {bins or 'numbers'}; "
                "make them the same"
            )
        return self


def _list_implied(bins: int) -> Mapping[str, str | int | float]:
    if bins:
        return {
            "objective": "multi:softmax",
            "num_class": bins,
            "eval_metric": "mlogloss,merror,accuracy,precision,recall,f1",
        }
    return {"objective": "reg:squarederror", "eval_metric": "mae,r2,rmse"}
