"""The preprocessing steps: read, clean, hold labelled sentences out, write."""

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from containers.shared.job.arguments import ArgumentParser, parse_ratio, parse_seed
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from headrace.provenance import INPUTS_FILE

from . import contract

# A word is letters, digits and what joins them; everything else parts words.
_WORD: Final = re.compile(r"\w+(?:['\u2019-]\w+)*")


class TextError(Exception):
    """Texts or arguments that cannot be used; the message says what, where and what to do."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    ratio: float
    seed: int


def parse_options(arguments: Sequence[str]) -> Options:
    """The command line, checked."""
    parser = ArgumentParser(
        mistake=TextError,
        prog="python -m containers.blazingtext.preprocessing",
        description="Turn text into sentences of words, and hold some labelled ones out.",
    )
    parser.add_argument(contract.SPLIT_RATIO_ARGUMENT, dest="ratio", default=str(contract.DEFAULT_SPLIT_RATIO))
    parser.add_argument(contract.SEED_ARGUMENT, default=str(contract.DEFAULT_SEED))
    parsed = parser.parse_args(arguments)
    return Options(
        ratio=parse_ratio(contract.SPLIT_RATIO_ARGUMENT, parsed.ratio, TextError),
        seed=parse_seed(contract.SEED_ARGUMENT, parsed.seed, TextError),
    )


def preprocess(root: Path, options: Options, outputs: Outputs) -> None:
    """Write the sentences of the input folder: all of them to learn from, or labelled ones in two parts."""
    folder = root / contract.INPUT_FOLDER
    paths = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not paths:
        raise TextError(f"no .txt file in {folder}; check that the job's input names a prefix with at least one")
    inputs = JobInputs()
    inputs.add_files(contract.RAW_CHANNEL, folder, *paths)
    chance, kept, held_out = random.Random(options.seed), 0, 0  # noqa: S311 (a split, not a secret)
    with outputs:
        train = outputs.add(root / contract.TRAIN_FOLDER / contract.TRAIN_FILE)
        validation = outputs.add(root / contract.VALIDATION_FOLDER / contract.VALIDATION_FILE)
        with train.open("w", encoding="utf-8") as train_file, validation.open("w", encoding="utf-8") as other_file:
            for sentence in read_sentences(folder, paths):
                is_held_out = sentence.startswith(contract.LABEL_PREFIX) and chance.random() < options.ratio
                (other_file if is_held_out else train_file).write(f"{sentence}\n")
                kept, held_out = kept + (not is_held_out), held_out + is_held_out
        if not kept:
            raise TextError(f"no sentence to learn from in {len(paths)} files; add text, or a smaller ratio")
        outputs.add(root / contract.RECORD_FOLDER / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("preprocessing_end", files=len(paths), train=kept, validation=held_out)


def read_sentences(folder: Path, paths: Sequence[Path]) -> Iterator[str]:
    """The lines of some files as words between blanks, in lower case, labels first and as they are."""
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    name = path.relative_to(folder).as_posix()
                    raise TextError(f"{name}, line {number}: not UTF-8: {error.reason}; convert the file") from error
                if sentence := clean(text):
                    yield sentence


def clean(text: str) -> str:
    """A line as words between blanks; empty for one without words."""
    labels = [word for word in text.split() if word.startswith(contract.LABEL_PREFIX)]
    others = " ".join(word for word in text.split() if not word.startswith(contract.LABEL_PREFIX))
    words = _WORD.findall(unicodedata.normalize("NFKC", others).lower())
    return " ".join([*labels, *words]) if words else ""
