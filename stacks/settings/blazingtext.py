"""The settings of word vectors and text classification."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from headrace.algorithms.words import list_own_mistakes
from headrace.recipes import blazingtext
from stacks.settings.engines import AlgorithmTrainingSettings, EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import PreprocessedSettings, PreprocessingSettings

_BATCHES: Final = "batch_skipgram"
_OF_WORDS: Final[Mapping[str, str | int | float]] = {
    "epochs": 5,
    "min_count": 5,
    "sampling_threshold": 0.0001,
    "learning_rate": 0.05,
    "window_size": 5,
    "vector_dim": 100,
    "negative_samples": 5,
    "evaluation": "true",
    "subwords": "false",
}
# The published defaults would make a model of 800 MB, which learns nothing from a few thousand sentences.
_OF_SENTENCES: Final[Mapping[str, str | int | float]] = {
    "epochs": 10,
    "min_count": 2,
    "learning_rate": 0.5,
    "vector_dim": 20,
    "word_ngrams": 2,
    "buckets": 20_000,
}
_OWN_RULE: Final = {
    "metric": blazingtext.VALIDATION_ACCURACY,
    "direction": "at_least",
    "threshold": blazingtext.BASELINE_ACCURACY,
}


class TextPreprocessingSettings(PreprocessingSettings):
    """The processing job of the texts: its machine, its limits, and how labelled sentences are held out."""


class TextTrainingSettings(AlgorithmTrainingSettings):
    """The training job of the text model."""

    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of BlazingText, checked against its published table; `mode` is batch_skipgram unless it is given, "
            "and all others follow from it where none is given ([BlazingText](blazingtext.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})


class BlazingTextSettings(EngineSettings, PreprocessedSettings):
    """Word vectors and text classification, by our own engine or by SageMaker's built-in BlazingText."""

    preprocessing: TextPreprocessingSettings = TextPreprocessingSettings()
    training: TextTrainingSettings = TextTrainingSettings()

    @classmethod
    def fill_hyperparameters(cls, _preprocessing: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What follows from the mode, where nothing but that is given."""
        mode = given.get("mode", _BATCHES)
        if set(given) - {"mode"}:
            return {"mode": mode, **given}
        if mode == blazingtext.SUPERVISED:
            return {"mode": mode, **_OF_SENTENCES}
        return {"mode": mode, **_OF_WORDS, **({"batch_size": 11} if mode == _BATCHES else {})}

    @classmethod
    def choose_rule(cls, _preprocessing: Mapping[str, Any], training: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """A classifier must be right as often as the most frequent label is; word vectors have no such measure."""
        given = training.get("hyperparameters") or {}
        is_supervised = isinstance(given, Mapping) and given.get("mode") == blazingtext.SUPERVISED
        return _OWN_RULE if is_supervised else None

    def list_own_mistakes(self) -> Iterator[str]:
        """What our own program cannot do."""
        return list_own_mistakes(self.training.hyperparameters)

    def uses_channel(self, name: str) -> bool:
        """Word vectors are learnt from one channel alone."""
        is_supervised = self.training.hyperparameters.get("mode") == blazingtext.SUPERVISED
        return is_supervised or name == blazingtext.TRAIN_CHANNEL
