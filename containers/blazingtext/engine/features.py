"""Which rows of a model's inputs a word or a sentence is made of, as fastText has it.

The hash is 32-bit FNV-1a over signed bytes, and that of several words is theirs times 116049371, as in
https://github.com/facebookresearch/fastText/blob/v0.9.2/src/dictionary.cc.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from .binary import Binary

_OFFSET, _PRIME, _WORDS_PRIME = 2166136261, 16777619, 116049371
_32_BITS, _64_BITS = 2**32 - 1, 2**64 - 1
END: Final = b"</s>"
_BLANKS: Final = re.compile(rb"[ \n\r\t\v\f\0]+")
# fastText reads no more of a line; a request could otherwise ask for work without end.
_MOST_WORD_BYTES: Final = 10_000


def hash_bytes(content: bytes) -> int:
    """The hash of a word, or of a part of one."""
    value = _OFFSET
    for byte in content:
        # A byte from 128 on is a negative number in fastText, whose sign reaches into all higher bits.
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * _PRIME) & _32_BITS
    return value


def split_words(text: str) -> list[bytes]:
    """The words of a sentence, with the end of it."""
    return [*filter(None, _BLANKS.split(text.encode("utf-8", "replace"))), END]


class Features:
    """Finds the rows of a model's inputs."""

    def __init__(self, model: Binary) -> None:
        self._model = model
        self._rows = {word: row for row, word in enumerate(model.words)}
        self._labels = frozenset(label.encode() for label in model.labels)

    def find_word(self, word: bytes) -> list[int]:
        """The rows that a word is the mean of; none for one that is unknown, where parts do not count."""
        row = self._rows.get(word)
        known = [] if row is None else [row]
        if self._model.longest <= 0 or word == END:
            return known
        return [*known, *self._find_parts(b"<" + word[:_MOST_WORD_BYTES] + b">")]

    def find_sentence(self, words: Sequence[bytes]) -> list[int]:
        """The rows that a sentence is the mean of: its words, and several words in a row."""
        said = [word for word in words if word not in self._labels]
        rows = [row for word in said for row in self.find_word(word)]
        return [*rows, *self._find_ngrams([_extend(hash_bytes(word)) for word in said])]

    def _find_ngrams(self, hashes: Sequence[int]) -> Iterator[int]:
        for start, value in enumerate(hashes):
            for following in hashes[start + 1 : start + self._model.word_ngrams]:
                value = (value * _WORDS_PRIME + following) & _64_BITS
                yield len(self._rows) + value % self._model.buckets

    def _find_parts(self, word: bytes) -> Iterator[int]:
        """The parts of a word with a mark at either end, of whole characters."""
        starts = [place for place, byte in enumerate(word) if byte & 0xC0 != 0x80]
        ends = [*starts[1:], len(word)]
        for first in range(len(starts)):
            lengths = range(self._model.shortest, self._model.longest + 1)
            for last in (first + length - 1 for length in lengths if 0 < length <= len(starts) - first):
                is_mark = last == first and (starts[first] == 0 or ends[last] == len(word))
                if not is_mark:
                    part = word[starts[first] : ends[last]]
                    yield len(self._rows) + hash_bytes(part) % self._model.buckets


def _extend(value: int) -> int:
    """A number of 32 bits with a sign, as one of 64 bits without."""
    return value if value < 2**31 else value | 0xFFFFFFFF00000000
