"""Reading a channel of text: a sentence a line, words between blanks, labels as words that begin with __label__."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from containers.shared.job.training_failures import TrainingDataError

from . import contract

_SHOWN: Final = 100


def list_text_files(folder: Path) -> list[Path]:
    """The files of a channel, in the order of their paths; hidden ones are not data."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))


def gather(folder: Path, target: Path, *, is_labelled: bool) -> Counter[str]:
    """Write all sentences of a channel to one file, and count the labels, or the lines of each kind without them.

    Args:
        folder: The channel's.
        target: The file.
        is_labelled: Whether every sentence must have a label.
    """
    counts: Counter[str] = Counter()
    with target.open("w", encoding="utf-8") as file:
        for path in list_text_files(folder):
            for number, line in enumerate(_read_lines(folder, path), start=1):
                if not line.strip():
                    continue
                labels = [word for word in line.split() if word.startswith(contract.LABEL_PREFIX)]
                if is_labelled and not labels:
                    raise TrainingDataError(
                        f"channel {folder.name!r}, {path.name}, line {number}: no label; in mode supervised each line "
                        f"has a word such as {contract.LABEL_PREFIX}sports"
                    )
                counts.update(labels[:1] if is_labelled else [""])
                file.write(f"{line.strip()}\n")
    if not counts:
        raise TrainingDataError(f"channel {folder.name!r} has no sentence, only empty lines; check what wrote it")
    return counts


def _read_lines(folder: Path, path: Path) -> Iterator[str]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise TrainingDataError(
                    f"channel {folder.name!r}, {path.name}, line {number}: not UTF-8: {error.reason}; convert the file"
                ) from error
            yield _read_source(f"channel {folder.name!r}, {path.name}, line {number}", text)


def _read_source(place: str, line: str) -> str:
    """The sentence of a line, which may be of an augmented manifest: `{"source": "so it goes", "label": 1}`."""
    if not line.startswith('{"'):
        return line
    try:
        document: dict[str, Any] = json.loads(line)
        source = document["source"]
    except (ValueError, KeyError, RecursionError):
        return line
    found = document.get("label", [])
    labels = found if isinstance(found, list) else [found]
    for label in labels:
        if not isinstance(label, str | int) or isinstance(label, bool) or len(str(label).split()) != 1:
            raise TrainingDataError(
                f"{place}: the label {json.dumps(label)[:_SHOWN]} is neither a number nor one word; join its words"
            )
    return " ".join([*(f"{contract.LABEL_PREFIX}{label}" for label in labels), *str(source).split()])
