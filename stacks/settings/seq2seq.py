"""The settings of translation of sequences."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from containers.seq2seq.engine.contract import SEED
from containers.seq2seq.preprocessing.contract import DEFAULT_VOCABULARY, MOST_VOCABULARY
from headrace.algorithms.sequence_to_sequence import list_own_mistakes
from headrace.recipes import seq2seq
from stacks.settings.engines import AlgorithmTrainingSettings, EngineSettings
from stacks.settings.jobs import Hyperparameters
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Setting
from stacks.settings.workloads import PreprocessedSettings, PreprocessingSettings

# Those of the pairs that a run makes up: a network small enough for a CPU.
_MADE_UP: Final[Mapping[str, str | int | float]] = {
    "max_seq_len_source": 30,
    "max_seq_len_target": 30,
    "rnn_num_hidden": 96,
    "num_embed_source": 48,
    "num_embed_target": 48,
    "learning_rate": 0.008,
    "batch_size": 32,
    "max_num_epochs": 4,
    "checkpoint_frequency_num_batches": 113,
    "optimized_metric": "bleu",
    "bleu_sample_size": 100,
}
_OWN_RULE: Final = {
    "metric": seq2seq.VALIDATION_BLEU,
    "direction": "at_least",
    "threshold": seq2seq.BASELINE_BLEU,
}


class PairsPreprocessingSettings(PreprocessingSettings):
    """The processing job of the pairs: its machine, its limits, how it splits them and how many tokens it numbers."""

    vocabulary_size: Annotated[
        int,
        Field(ge=1, le=MOST_VOCABULARY),
        Setting(
            "how many tokens of either language are numbered, the most frequent ones; all others are one unknown token",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = DEFAULT_VOCABULARY


class TranslationTrainingSettings(AlgorithmTrainingSettings):
    """The training job of the translator."""

    hyperparameters: Annotated[
        Hyperparameters,
        Setting(
            "those of sequence-to-sequence, checked against its published table, and `seed` of our own engine; where "
            "none is given, those of the pairs that a run makes up ([sequence-to-sequence](seq2seq.md))",
            cost=NOTHING,
            change=NEXT_EXECUTION,
        ),
    ] = Field(default={})


class Seq2SeqSettings(EngineSettings, PreprocessedSettings):
    """Translation of sequences, by our own engine or by SageMaker's built-in sequence-to-sequence."""

    preprocessing: PairsPreprocessingSettings = PairsPreprocessingSettings()
    training: TranslationTrainingSettings = TranslationTrainingSettings()

    @property
    def own_hyperparameters(self) -> frozenset[str]:
        """What decides instead of chance."""
        return frozenset({SEED})

    @classmethod
    def fill_hyperparameters(cls, _preprocessing: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of made-up pairs, where none is given."""
        return given or _MADE_UP

    @classmethod
    def choose_rule(cls, _preprocessing: Mapping[str, Any], _training: Mapping[str, Any]) -> Mapping[str, Any]:
        """Translations must be as good as those word for word."""
        return _OWN_RULE

    def list_own_mistakes(self) -> Iterator[str]:
        """What our own program cannot do."""
        return list_own_mistakes(self.training.hyperparameters)
