"""Networks of random weights and jobs over made-up pairs; none of it needs PyTorch."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.seq2seq.engine import contract
from containers.seq2seq.engine.architecture import Architecture, Attention, Start
from containers.seq2seq.engine.export import export_decoder, export_encoder
from containers.seq2seq.engine.model import Description
from containers.seq2seq.preprocessing.__main__ import main as preprocess
from containers.shared.job.outputs import Outputs
from headrace.recordio.sentences import MARKS, SOURCE_FILE, TARGET_FILE, dump_vocabulary
from headrace.workloads import phrases
from tests.containers.job_roots import write_job

SOURCE_TOKENS = ("the", "old", "farmer", "sees", "boats")
TARGET_TOKENS = ("zaso", "fane", "bou")
HYPERPARAMETERS = {
    "rnn_num_hidden": "8",
    "num_embed_source": "6",
    "num_embed_target": "6",
    "max_seq_len_source": "20",
    "max_seq_len_target": "20",
    "batch_size": "50",
    "beam_size": "2",
    "max_num_epochs": "2",
    "checkpoint_frequency_num_batches": "2",
}


def shape_network(**changes: Any) -> Architecture:
    """A small network."""
    sizes = {"source_tokens": 9, "target_tokens": 7, "source_width": 5, "target_width": 3, "hidden": 6}
    layers = {"encoder_layers": 2, "decoder_layers": 2, "attention": Attention.MLP, "attention_width": 4}
    given: dict[str, Any] = {**sizes, **layers, "start": Start.LAST, **changes}
    return Architecture(**given)


def draw_weights(shape: Architecture, seed: int = 7) -> dict[str, NDArray[np.float32]]:
    """Random weights by the names that they have in the models."""
    hidden, keys = shape.hidden, shape.hidden
    sizes: dict[str, tuple[int, ...]] = {
        "source.weight": (shape.source_tokens, shape.source_width),
        "target.weight": (shape.target_tokens, shape.target_width),
        "combine.weight": (hidden, 2 * hidden),
        "combine.bias": (hidden,),
        "output.weight": (shape.target_tokens, hidden),
        "output.bias": (shape.target_tokens,),
        "start.weight": (2 * shape.decoder_layers * hidden, hidden),
        "start.bias": (2 * shape.decoder_layers * hidden,),
    }
    if shape.attention is Attention.MLP:
        keys = shape.attention_width
        sizes |= {"query.weight": (keys, hidden), "query.bias": (keys,), "score.weight": (1, keys)}
    if shape.attention is not Attention.DOT:
        sizes["keys.weight"] = (keys, hidden)
    for inputs, directions, units in (
        (shape.list_encoder_inputs(), 2, hidden // 2),
        (shape.list_decoder_inputs(), 1, hidden),
    ):
        for name, width in inputs:
            sizes[f"{name}.weight"] = (directions, 4 * units, width)
            sizes[f"{name}.recurrence"] = (directions, 4 * units, units)
            sizes[f"{name}.bias"] = (directions, 8 * units)
    chance = np.random.default_rng(seed)
    return {name: (0.7 * chance.standard_normal(size)).astype(np.float32) for name, size in sizes.items()}


def number(*tokens: str) -> dict[str, int]:
    """A vocabulary of some tokens."""
    return {token: place for place, token in enumerate((*MARKS, *tokens))}


def write_model(root: Path, **changes: Any) -> Path:
    """Put a network of random weights where an endpoint looks for it, and return the root."""
    shape = shape_network(source_tokens=len(number(*SOURCE_TOKENS)), target_tokens=len(number(*TARGET_TOKENS)))
    weights = draw_weights(shape)
    contents = {
        contract.ENCODER_FILE: export_encoder(shape, weights).SerializeToString(),
        contract.DECODER_FILE: export_decoder(shape, weights).SerializeToString(),
        SOURCE_FILE: dump_vocabulary(number(*SOURCE_TOKENS)).encode(),
        TARGET_FILE: dump_vocabulary(number(*TARGET_TOKENS)).encode(),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    limits = {"beam_size": 3, "longest_source": 6, "longest_target": 5, **changes}
    folder = root / "model"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / contract.DESCRIPTION_FILE).write_text(Description(**limits, digests=digests).dump(), encoding="utf-8")
    return root


def write_pairs_job(root: Path, given: Mapping[str, str] | None = None, *, pairs: int = 300) -> Mapping[str, Path]:
    """Lay out a job over made-up pairs, and return its channels."""
    prepared = root / "prepared"
    phrases.write_pairs(prepared / "processing/input/pairs.tsv", pairs)
    assert preprocess([], prepared, Outputs()) == 0
    channels = {name: prepared / "processing" / name for name in ("train", "validation", "vocab")}
    write_job(root, {**HYPERPARAMETERS, **(given or {})}, channels, content_type=contract.RECORDS)
    return channels
