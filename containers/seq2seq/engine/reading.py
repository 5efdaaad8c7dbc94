"""Reading the channels: pairs of sentences as numbered tokens, and the vocabularies that number them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import find_channel, list_files
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job
from headrace.recordio.framing import RecordIOError
from headrace.recordio.sentences import SOURCE_FILE, TARGET_FILE, Pair, Vocabulary, parse_vocabulary, read_pairs

from . import contract


@dataclass(frozen=True)
class Vocabularies:
    """The numbers of tokens on either side."""

    source: Vocabulary
    target: Vocabulary


def read_vocabularies(root: Path, job: Job, inputs: JobInputs) -> Vocabularies:
    """The two vocabularies of their channel."""
    folder = find_channel(root, contract.VOCABULARY_CHANNEL, job.channels)
    found = []
    for name in (SOURCE_FILE, TARGET_FILE):
        path = folder / name
        if not path.is_file():
            raise TrainingDataError(f"channel {folder.name!r} has no {name}, only {list_files(folder)}")
        try:
            found.append(parse_vocabulary(path.read_bytes()))
        except ValueError as error:
            raise TrainingDataError(f"channel {folder.name!r}, {name}: {error}; preprocess the texts again") from error
        inputs.add_files(folder.name, folder, path)
    return Vocabularies(*found)


def read_channel(
    root: Path, job: Job, channel: str, vocabularies: Vocabularies, longest: tuple[int, int], inputs: JobInputs
) -> list[Pair]:
    """The pairs of a channel, cut off at the longest sentences that the job takes.

    Args:
        root: What is below it is laid out like /opt/ml.
        job: The job.
        channel: The channel's name.
        vocabularies: Those that number the tokens.
        longest: How many tokens a source and a target may have.
        inputs: Takes down what is read.

    Raises:
        TrainingDataError: If there are none, or one has a token that its vocabulary does not know.
    """
    folder = find_channel(root, channel, job.channels)
    paths = sorted(path for path in folder.rglob(f"*{contract.RECORDS_SUFFIX}") if path.is_file())
    pairs = [
        _cut(_check(f"channel {channel!r}, {path.relative_to(folder).as_posix()}", number, pair, vocabularies), longest)
        for path in paths
        for number, pair in enumerate(_read_file(channel, path))
    ]
    inputs.add_files(channel, folder, *paths)
    if not pairs:
        raise TrainingDataError(
            f"channel {channel!r} has no pair in files named *{contract.RECORDS_SUFFIX}, only {list_files(folder)}"
        )
    return pairs


def _read_file(channel: str, path: Path) -> Iterator[Pair]:
    try:
        with path.open("rb") as file:
            yield from read_pairs(file)
    except RecordIOError as error:
        raise TrainingDataError(f"channel {channel!r}, {path.name}: {error}") from error


def _check(where: str, number: int, pair: Pair, vocabularies: Vocabularies) -> Pair:
    for name, side, vocabulary in (
        ("source", pair.source, vocabularies.source),
        ("target", pair.target, vocabularies.target),
    ):
        if not side:
            raise TrainingDataError(f"{where}, record {number}: {name} is empty; leave the pair out")
        if not 0 <= min(side) <= max(side) < len(vocabulary):
            raise TrainingDataError(
                f"{where}, record {number}: {name} has a token {max(side) if min(side) >= 0 else min(side)}, but its "
                f"vocabulary numbers them from 0 to {len(vocabulary) - 1}; use the vocabularies of these pairs"
            )
    return pair


def _cut(pair: Pair, longest: tuple[int, int]) -> Pair:
    return Pair(pair.source[: longest[0]], pair.target[: longest[1]])
