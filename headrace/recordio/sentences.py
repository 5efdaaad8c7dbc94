"""Pairs of sentences as SageMaker's sequence-to-sequence reads them: numbered tokens, and a vocabulary for each side.

A vocabulary is a JSON object that numbers tokens from 0 on, four marks first and then by frequency:

    {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "the": 4, "farmer": 5}

A record has two features of 32-bit integers, `source` and `target`, without marks for beginning and end: the algorithm
adds those. Forms and names are those of `create_vocab_proto.py` in SageMaker's examples,
https://github.com/aws/amazon-sagemaker-examples, introduction_to_amazon_algorithms/seq2seq_translation_en-de.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from headrace.recordio.framing import Frame, Readable, RecordIOError, name_frame, read_frames
from headrace.recordio.records import Record, Tensor, TensorType, decode_record, encode_record, frame_message

PAD, UNKNOWN, BEGIN, END = range(4)
MARKS: Final = ("<pad>", "<unk>", "<s>", "</s>")
SOURCE_FILE: Final = "vocab.src.json"
TARGET_FILE: Final = "vocab.trg.json"
SOURCE, TARGET = "source", "target"

Vocabulary = Mapping[str, int]


class Pair(NamedTuple):
    """A sentence and its translation, as the numbers of their tokens."""

    source: list[int]
    target: list[int]


def build_vocabulary(counts: Counter[str], most: int) -> dict[str, int]:
    """The numbers of the most frequent tokens, behind the marks.

    Args:
        counts: How often each token occurs; of those that occur as often, the first in the order of characters counts.
        most: How many tokens are numbered, at most.

    Example:
        >>> build_vocabulary(Counter("so it goes it goes it".split()), most=2)
        {'<pad>': 0, '<unk>': 1, '<s>': 2, '</s>': 3, 'it': 4, 'goes': 5}
    """
    ranked = sorted((-count, token) for token, count in counts.items() if token not in MARKS)
    return {token: number for number, token in enumerate([*MARKS, *(token for _, token in ranked[:most])])}


def dump_vocabulary(vocabulary: Vocabulary) -> str:
    """The content of a vocabulary's file."""
    return json.dumps(vocabulary, ensure_ascii=False, indent=0) + "\n"


def parse_vocabulary(content: bytes) -> dict[str, int]:
    """The vocabulary of a file's content.

    Raises:
        ValueError: If it does not number tokens from 0 on, the marks first; the message says what is wrong.
    """
    try:
        document = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    numbers: list[Any] = list(document.values()) if isinstance(document, dict) else [None]
    if not all(type(number) is int for number in numbers) or sorted(numbers) != list(range(len(numbers))):
        raise ValueError("it is not a JSON object that numbers tokens from 0 on, each number once")
    wrong = [mark for number, mark in enumerate(MARKS) if document.get(mark) != number]
    if wrong:
        raise ValueError(f"{wrong[0]} must have number {MARKS.index(wrong[0])}; the first are {', '.join(MARKS)}")
    # JSON may escape half of a pair of UTF-16, of which no text can be made.
    if unwritable := [token for token in document if any("\ud800" <= character <= "\udfff" for character in token)]:
        raise ValueError(f"token {document[unwritable[0]]} has half of a surrogate pair, which UTF-8 cannot encode")
    return dict(document)


def number_tokens(text: str, vocabulary: Vocabulary) -> list[int]:
    """The numbers of a text's tokens, which blanks divide; a mark that stands in a text is an unknown token."""
    return [UNKNOWN if token in MARKS else vocabulary.get(token, UNKNOWN) for token in text.split()]


def name_tokens(numbers: Iterable[int], names: Mapping[int, str]) -> str:
    """The text of numbered tokens.

    Args:
        numbers: Their numbers.
        names: The tokens by number.
    """
    return " ".join(names.get(number, MARKS[UNKNOWN]) for number in numbers)


def encode_pair(pair: Pair) -> bytes:
    """The record of a pair; an empty target is that of a request."""
    sides = zip((SOURCE, TARGET), pair, strict=True)
    return frame_message(encode_record(Record({name: Tensor.pack(np.array(side, np.int32)) for name, side in sides})))


def read_pairs(stream: Readable) -> Iterator[Pair]:
    """The pairs of a stream of records, one at a time.

    Raises:
        RecordIOError: If a record is damaged, lacks a side or has other numbers than 32-bit integers.
    """
    for frame in read_frames(stream):
        yield Pair(*(_read_side(frame, name) for name in (SOURCE, TARGET)))


def read_sources(stream: Readable) -> Iterator[list[int]]:
    """The sources of a stream of records, which a request has without targets; errors are those of `read_pairs`."""
    for frame in read_frames(stream):
        yield _read_side(frame, SOURCE)


def _read_side(frame: Frame, name: str) -> list[int]:
    features = decode_record(frame).features
    if name not in features or features[name].type is not TensorType.INT32 or features[name].is_sparse:
        raise RecordIOError(
            f"{name_frame(frame)}: has no feature {name!r} of 32-bit integers, as sentences have; "
            f"it has {', '.join(map(repr, features)) or 'none'}"
        )
    numbers: list[int] = features[name].values.tolist()
    return numbers
