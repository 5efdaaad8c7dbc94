"""What our own program can do of the built-in sequence-to-sequence; standard library only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.algorithms.hyperparameters import list_untaken

ALGORITHM: Final = "seq2seq"
# What our program takes of hyperparameters that have more values in the algorithm; none of those it does not have.
_TAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "cnn_activation_type": (),
    "cnn_hidden_dropout": (),
    "cnn_kernel_width_decoder": (),
    "cnn_kernel_width_encoder": (),
    "cnn_num_hidden": (),
    "decoder_type": ("rnn",),
    "encoder_type": ("rnn",),
    "rnn_attention_in_upper_layers": ("false",),
    "rnn_attention_type": ("mlp", "dot", "bilinear"),
    "rnn_cell_type": ("lstm",),
    "rnn_residual_connections": ("false",),
    "weight_init_scale": (),
    "weight_init_type": (),
    "xavier_factor_type": (),
}
# What serves a model refuses more of any of these, which would be work without end for one request.
MOST: Final[Mapping[str, int]] = {"beam_size": 1_000, "max_seq_len_source": 10_000, "max_seq_len_target": 10_000}
# The published table has no bounds of these, and training would end without a word, or with numbers that are none.
_POSITIVE: Final = ("learning_rate", "plateau_reduce_lr_factor")
_NOT_NEGATIVE: Final = ("momentum", "weight_decay")


def list_own_mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """What of the algorithm's own hyperparameters our program cannot do, each beginning with the name of one.

    Args:
        given: Those that the algorithm takes.
    """
    yield from list_untaken(given, _TAKEN)
    for name in _POSITIVE:
        if name in given and float(given[name]) <= 0:
            yield f"{name}: found {given[name]}, allowed: a number above 0"
    for name in _NOT_NEGATIVE:
        if name in given and float(given[name]) < 0:
            yield f"{name}: found {given[name]}, allowed: a number from 0"
    for name, most in MOST.items():
        if name in given and int(given[name]) > most:
            yield f"{name}: found {given[name]}, and our own program takes up to {most}"
    if int(given.get("max_num_batches", -1)) == 0:
        yield "max_num_batches: 0, which learns nothing; leave it out, or give a number from 1"
