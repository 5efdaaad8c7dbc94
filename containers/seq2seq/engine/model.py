"""Loading the networks and asking them; PyTorch has no part in it.

`seq2seq.json` says what belongs together, and how to search. A sample:

    {"format": "headrace-seq2seq", "version": 1, "beam_size": 5, "longest_source": 60, "longest_target": 60,
     "sha256": {"encoder.onnx": "9f86…", "decoder.onnx": "60af…", "vocab.src.json": "2c26…", "vocab.trg.json": "fcde…"}}
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime

from containers.shared.serving.model_files import ModelError, read_file
from containers.shared.serving.onnx_sessions import open_session
from headrace.algorithms.sequence_to_sequence import MOST
from headrace.recordio.sentences import SOURCE_FILE, TARGET_FILE, Vocabulary, parse_vocabulary

from . import contract
from .decoding import Floats, Memory, Numbers, State, Translation, translate

_LIMITS: Final[Mapping[str, int]] = {
    contract.ENCODER_FILE: contract.MOST_MODEL_BYTES,
    contract.DECODER_FILE: contract.MOST_MODEL_BYTES,
    SOURCE_FILE: contract.MOST_VOCABULARY_BYTES,
    TARGET_FILE: contract.MOST_VOCABULARY_BYTES,
}
_INPUTS: Final = {
    contract.ENCODER_FILE: ["source", "lengths"],
    contract.DECODER_FILE: ["tokens", "hidden", "cell", "memory", "keys", "mask"],
}
# The limits of the search, by the names that hyperparameters have.
_NAMES: Final = {
    "beam_size": "beam_size",
    "longest_source": "max_seq_len_source",
    "longest_target": "max_seq_len_target",
}


class OnnxSteps:
    """A network that translates step by step in ONNX Runtime.

    Args:
        encoder: What reads sources.
        decoder: What makes a step.
    """

    def __init__(self, encoder: onnxruntime.InferenceSession, decoder: onnxruntime.InferenceSession) -> None:
        self._encoder, self._decoder = encoder, decoder

    def encode(self, source: Numbers, lengths: Numbers) -> tuple[Memory, State]:
        """What it knows of some sources."""
        given = {"source": source, "lengths": lengths.astype(np.int32)}
        values, keys, hidden, cell = self._encoder.run(None, given)
        mask = np.arange(source.shape[1])[None] < lengths[:, None]
        return Memory(values, keys, mask), State(hidden, cell)

    def step(self, tokens: Numbers, state: State, memory: Memory) -> tuple[Floats, Floats, State]:
        """The next tokens' logarithms of probabilities, what was looked at, and the state then."""
        given = {
            "tokens": tokens,
            **state._asdict(),
            "memory": memory.values,
            "keys": memory.keys,
            "mask": memory.mask,
        }
        odds, attention, hidden, cell = self._decoder.run(None, given)
        return odds, attention, State(hidden, cell)


@dataclass(frozen=True)
class Description:
    """How a model searches, and the digests of its files."""

    beam_size: int
    longest_source: int
    longest_target: int
    digests: Mapping[str, str]

    def dump(self) -> str:
        """The content of its file."""
        document = {
            "format": contract.FORMAT,
            "version": contract.VERSION,
            "beam_size": self.beam_size,
            "longest_source": self.longest_source,
            "longest_target": self.longest_target,
            "sha256": dict(self.digests),
        }
        return json.dumps(document) + "\n"


@dataclass(frozen=True)
class Model:
    """A network with its vocabularies."""

    steps: OnnxSteps
    description: Description
    source: Vocabulary
    target: Vocabulary

    @cached_property
    def names(self) -> dict[int, str]:
        """The tokens of translations by their numbers."""
        return {number: token for token, number in self.target.items()}

    def translate(self, sources: Sequence[Sequence[int]]) -> list[Translation]:
        """The translations of numbered tokens, of which those beyond the longest source do not count."""
        cut = [source[: self.description.longest_source] for source in sources]
        return translate(self.steps, cut, self.description.beam_size, self.description.longest_target)


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be ours and whole."""
    path = folder / contract.DESCRIPTION_FILE
    description = parse_description(path, read_file(path, contract.MOST_DESCRIPTION_BYTES))
    contents = {}
    for name, most in _LIMITS.items():
        contents[name] = read_file(folder / name, most)
        if hashlib.sha256(contents[name]).hexdigest() != description.digests.get(name):
            raise ModelError(
                f"{folder / name}: not the one that {contract.DESCRIPTION_FILE} belongs to; deploy the files of one job"
            )
    source, target = (_read_vocabulary(folder / name, contents[name]) for name in (SOURCE_FILE, TARGET_FILE))
    encoder, decoder = (
        open_session(folder / name, contents[name]) for name in (contract.ENCODER_FILE, contract.DECODER_FILE)
    )
    for name, session in ((contract.ENCODER_FILE, encoder), (contract.DECODER_FILE, decoder)):
        if (found := [each.name for each in session.get_inputs()]) != _INPUTS[name]:
            raise ModelError(f"{folder / name}: it takes {', '.join(found)}; train again with this release")
    if (found := decoder.get_outputs()[0].shape[-1]) != len(target):
        raise ModelError(f"{folder / contract.DECODER_FILE}: {found} tokens, but {TARGET_FILE} numbers {len(target)}")
    return Model(OnnxSteps(encoder, decoder), description, source, target)


def parse_description(path: Path, content: bytes) -> Description:
    """How a model searches."""
    try:
        document: dict[str, Any] = json.loads(content)
        if (document["format"], document["version"]) != (contract.FORMAT, contract.VERSION):
            raise ValueError(f"format {document['format']!r} version {document['version']!r}")
        numbers = {name: int(document[name]) for name in _NAMES}
        for name, hyperparameter in _NAMES.items():
            if not 1 <= numbers[name] <= MOST[hyperparameter]:
                raise ValueError(f"{name} is {numbers[name]}, not 1 to {MOST[hyperparameter]}")
        return Description(**numbers, digests={str(name): str(digest) for name, digest in document["sha256"].items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path}: not what training writes: {error!r}; train again with this release") from error


def _read_vocabulary(path: Path, content: bytes) -> Vocabulary:
    try:
        return parse_vocabulary(content)
    except ValueError as error:
        raise ModelError(f"{path}: {error}; train again with this release") from error
