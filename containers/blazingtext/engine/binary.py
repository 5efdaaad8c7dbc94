"""Reading fastText's binary format, version 12, as data that may be anybody's: lengths are checked before use.

The layout, little-endian, is that of `Model::save` in https://github.com/facebookresearch/fastText/tree/v0.9.2/src:

    int32  magic 793712314, version 12
    int32  dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate; double t
    int32  size, nwords, nlabels; int64 ntokens, pruneidx_size
    entry  the word's bytes, 0; int64 count; int8 type (0 a word, 1 a label), `size` times
    bool   quantized; int64 rows, columns; float32 rows * columns          what each word or n-gram adds
    bool   quantized; int64 rows, columns; float32 rows * columns          what each label, or word, is scored with
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headrace.algorithms.words import MOST_DIMENSIONS

_MAGIC, _VERSION = 793712314, 12
_ARGUMENTS: Final = struct.Struct("<12id")
_SIZES: Final = struct.Struct("<3i2q")
_ENTRY: Final = struct.Struct("<qb")
_MATRIX: Final = struct.Struct("<?2q")
_SUPERVISED: Final = 3
_SOFTMAX: Final = 3
Matrix = NDArray[np.float32]


class BinaryError(Exception):
    """Bytes that are not a model of fastText, or one that cannot be served; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A model of fastText.

    Args:
        is_supervised: Whether it predicts labels; text with labels may give word vectors, too.
        words: Its words, in the order of their rows.
        labels: Its labels, in the order of theirs.
        word_ngrams: Up to how many words in a row count as one feature.
        buckets: How many rows there are for features that are not words.
        shortest: The shortest part of a word that counts, in characters.
        longest: The longest part; 0 if parts do not count.
        inputs: What each feature adds: the words, then the buckets.
        outputs: What each label is scored with.
    """

    is_supervised: bool
    words: tuple[bytes, ...]
    labels: tuple[str, ...]
    word_ngrams: int
    buckets: int
    shortest: int
    longest: int
    inputs: Matrix
    outputs: Matrix


class _Reader:
    """Takes fields off some bytes, none of them beyond their end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def take(self, form: struct.Struct) -> tuple[Any, ...]:
        """The numbers of a form."""
        return form.unpack(self.take_bytes(form.size))

    def take_bytes(self, size: int) -> memoryview:
        """As many bytes."""
        if not 0 <= size <= len(self._content) - self._place:
            raise BinaryError(f"it ends at byte {len(self._content):,}, before what it announces")
        self._place += size
        return memoryview(self._content)[self._place - size : self._place]

    def take_word(self) -> bytes:
        """The bytes up to the next 0."""
        end = self._content.find(b"\0", self._place)
        if end < 0:
            raise BinaryError("a word has no end")
        word = self._content[self._place : end]
        self._place = end + 1
        return word

    def take_matrix(self, rows: int, columns: int) -> Matrix:
        """A matrix of just these sizes."""
        quantized, *found = self.take(_MATRIX)
        if quantized:
            raise BinaryError("it is quantized, which is not served; save it without")
        if found != [rows, columns]:
            raise BinaryError(
                f"a matrix of {found[0]:,} rows and {found[1]:,} columns where {rows:,} and {columns:,} belong"
            )
        values = np.frombuffer(self.take_bytes(rows * columns * 4), "<f4").reshape(rows, columns)
        if not np.isfinite(values).all():
            raise BinaryError("a number in it is not finite")
        return values


def read_binary(content: bytes) -> Binary:
    """The model in some bytes.

    Raises:
        BinaryError: If they are none, or one that is not served.
    """
    reader = _Reader(content)
    found = reader.take(struct.Struct("<2i"))
    if found != (_MAGIC, _VERSION):
        raise BinaryError("it is not a model of fastText, version 12")
    dim, _, _, _, _, word_ngrams, loss, model, buckets, shortest, longest, _, _ = reader.take(_ARGUMENTS)
    size, words, labels, _, pruned = reader.take(_SIZES)
    is_supervised = model == _SUPERVISED
    if not (0 < dim <= MOST_DIMENSIONS and word_ngrams >= 1 and buckets >= 0 and shortest >= 0):
        raise BinaryError(f"it has {dim} dimensions, n-grams of {word_ngrams} words and {buckets} buckets")
    if is_supervised and loss != _SOFTMAX:
        raise BinaryError("its loss is not softmax, which alone is served")
    if pruned > 0 or not 0 <= words <= size or words + labels != size or (is_supervised and labels == 0):
        raise BinaryError(f"{words} words and {labels} labels of {size}; a pruned model is not served")
    if (longest > 0 or word_ngrams > 1) and buckets == 0:
        raise BinaryError("it has parts of words or several words as features, but no buckets for them")
    entries = [(reader.take_word(), reader.take(_ENTRY)[1]) for _ in range(size)]
    if [kind for _, kind in entries] != [0] * words + [1] * labels:
        raise BinaryError("its words do not stand before its labels")
    inputs = reader.take_matrix(words + buckets, dim)
    outputs = reader.take_matrix(labels if is_supervised else words, dim)
    return Binary(
        is_supervised=is_supervised,
        words=tuple(word for word, _ in entries[:words]),
        labels=tuple(label.decode("utf-8", "replace") for label, _ in entries[words:]),
        word_ngrams=word_ngrams,
        buckets=buckets,
        shortest=shortest,
        longest=longest,
        inputs=inputs,
        outputs=outputs,
    )
