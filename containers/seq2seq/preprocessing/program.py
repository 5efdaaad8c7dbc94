"""The preprocessing steps: read, hold pairs out, number the tokens of the rest, write."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.shared.job.arguments import ArgumentParser, parse_count, parse_ratio, parse_seed
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from headrace.provenance import INPUTS_FILE
from headrace.recordio.sentences import (
    SOURCE_FILE,
    TARGET_FILE,
    Pair,
    Vocabulary,
    build_vocabulary,
    dump_vocabulary,
    encode_pair,
    number_tokens,
)

from . import contract
from .reading import PairsError, find_texts, read_texts

Texts = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    ratio: float
    seed: int
    vocabulary_size: int


def parse_options(arguments: Sequence[str]) -> Options:
    """The command line, checked."""
    parser = ArgumentParser(
        mistake=PairsError,
        prog="python -m containers.seq2seq.preprocessing",
        description="Turn parallel texts into numbered tokens and vocabularies, and hold some pairs out.",
    )
    parser.add_argument(contract.SPLIT_RATIO_ARGUMENT, dest="ratio", default=str(contract.DEFAULT_SPLIT_RATIO))
    parser.add_argument(contract.SEED_ARGUMENT, default=str(contract.DEFAULT_SEED))
    parser.add_argument(contract.VOCABULARY_ARGUMENT, dest="size", default=str(contract.DEFAULT_VOCABULARY))
    parsed = parser.parse_args(arguments)
    return Options(
        ratio=parse_ratio(contract.SPLIT_RATIO_ARGUMENT, parsed.ratio, PairsError),
        seed=parse_seed(contract.SEED_ARGUMENT, parsed.seed, PairsError),
        vocabulary_size=parse_count(contract.VOCABULARY_ARGUMENT, parsed.size, contract.MOST_VOCABULARY, PairsError),
    )


def preprocess(root: Path, options: Options, outputs: Outputs) -> None:
    """Write the pairs of the input folder in two parts, and the vocabularies of the first."""
    folder = root / contract.INPUT_FOLDER
    texts = find_texts(folder)
    inputs = JobInputs()
    inputs.add_files(contract.RAW_CHANNEL, folder, *(path for paths in texts for path in paths))
    chance = random.Random(options.seed)  # noqa: S311 (a split, not a secret)
    kept: list[tuple[str, str]] = []
    held_out: list[tuple[str, str]] = []
    for source, target in read_texts(folder, texts):
        (held_out if chance.random() < options.ratio else kept).append((" ".join(source), " ".join(target)))
    if not kept or not held_out:
        raise PairsError(
            f"{len(kept)} pairs to learn from and {len(held_out)} held out in {len(texts)} texts; there must be some "
            "of either, so add text, or change the ratio"
        )
    sides = [count_vocabulary((pair[side] for pair in kept), options.vocabulary_size) for side in (0, 1)]
    with outputs:
        write_pairs(outputs.add(root / contract.TRAIN_FOLDER / contract.TRAIN_FILE), kept, *sides)
        write_pairs(outputs.add(root / contract.VALIDATION_FOLDER / contract.VALIDATION_FILE), held_out, *sides)
        for name, vocabulary in zip((SOURCE_FILE, TARGET_FILE), sides, strict=True):
            outputs.add(root / contract.VOCABULARY_FOLDER / name).write_text(dump_vocabulary(vocabulary), "utf-8")
        outputs.add(root / contract.RECORD_FOLDER / INPUTS_FILE).write_bytes(inputs.dump())
    tokens = dict(zip(("source_tokens", "target_tokens"), map(len, sides), strict=True))
    log_event("preprocessing_end", texts=len(texts), train=len(kept), validation=len(held_out), **tokens)


def count_vocabulary(sentences: Iterable[str], most: int) -> Vocabulary:
    """The vocabulary of some sentences."""
    return build_vocabulary(Counter(token for sentence in sentences for token in sentence.split()), most)


def write_pairs(path: Path, pairs: Texts, source: Vocabulary, target: Vocabulary) -> None:
    """Write pairs as records of numbered tokens."""
    with path.open("wb") as file:
        for sentence, translation in pairs:
            file.write(encode_pair(Pair(number_tokens(sentence, source), number_tokens(translation, target))))
