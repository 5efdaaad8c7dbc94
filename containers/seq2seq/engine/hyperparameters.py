"""The job's hyperparameters, with the names, bounds and defaults of the built-in algorithm; SageMaker passes text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from containers.shared.job.algorithm_hyperparameters import (
    check_hyperparameters,
    fill_hyperparameters,
    parse_hyperparameters,
    warn_ignored,
)
from containers.shared.job.training_hyperparameters import parse_seed
from headrace.algorithms.sequence_to_sequence import ALGORITHM, list_own_mistakes

from . import contract

_UNUSED: Final = ("bucket_width", "rnn_first_residual_layer")


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the job may set and our program uses, all but the seed as the built-in algorithm describes it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html
    """

    batch_size: int
    beam_size: int
    bleu_sample_size: int
    bucketing_enabled: bool
    checkpoint_frequency_num_batches: int
    checkpoint_threshold: int
    clip_gradient: float
    embed_dropout_source: float
    embed_dropout_target: float
    fixed_rate_lr_half_life: int
    learning_rate: float
    lr_scheduler_type: str
    max_num_batches: int
    max_num_epochs: int | None
    max_seq_len_source: int
    max_seq_len_target: int
    momentum: float
    num_embed_source: int
    num_embed_target: int
    num_layers_decoder: int
    num_layers_encoder: int
    optimized_metric: str
    optimizer_type: str
    plateau_reduce_lr_factor: float
    plateau_reduce_lr_threshold: int
    rnn_attention_num_hidden: int
    rnn_attention_type: str
    rnn_decoder_hidden_dropout: float
    rnn_decoder_state_init: str
    rnn_num_hidden: int
    training_metric: str
    weight_decay: float
    seed: int


def parse(texts: Mapping[str, str]) -> Hyperparameters:
    """The job's hyperparameters, or an error that names those that cannot be used."""
    rest = dict(texts)
    seed = parse_seed(contract.SEED, rest.pop(contract.SEED, "0"), contract.HIGHEST_SEED)
    given = check_hyperparameters(ALGORITHM, rest, list_own_mistakes)
    warn_ignored(given, _UNUSED, "sentences_are_padded_to_the_longest_of_their_batch,_and_no_layer_is_residual")
    values = fill_hyperparameters(ALGORITHM, parse_hyperparameters(ALGORITHM, given))
    implied = {
        "max_num_epochs": None,
        "momentum": 0.0,
        "rnn_attention_num_hidden": values["rnn_num_hidden"],
        "seed": seed,
    }
    taken = {name: values.get(name, implied.get(name)) for name in Hyperparameters.__dataclass_fields__}
    return Hyperparameters(**taken)  # type: ignore[arg-type]


def describe(hyperparameters: Hyperparameters) -> dict[str, object]:
    """The hyperparameters that have a value, by name."""
    return {name: value for name, value in asdict(hyperparameters).items() if value is not None}
