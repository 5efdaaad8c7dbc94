"""Pairs of sentences in the form of SageMaker's sequence-to-sequence, and the vocabularies that number them."""

import io
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.recordio import Record, RecordIOError, Tensor
from headrace.recordio.records import encode_record, frame_message
from headrace.recordio.sentences import (
    Pair,
    build_vocabulary,
    dump_vocabulary,
    encode_pair,
    parse_vocabulary,
    read_pairs,
    read_sources,
)

TOKENS = st.lists(st.integers(0, 2**31 - 1), max_size=8)


@given(st.lists(st.builds(Pair, TOKENS, TOKENS), max_size=5))
def test_reads_the_pairs_that_it_has_written(pairs: list[Pair]) -> None:
    content = b"".join(map(encode_pair, pairs))

    assert list(read_pairs(io.BytesIO(content))) == pairs
    assert list(read_sources(io.BytesIO(content))) == [pair.source for pair in pairs]


def test_writes_a_record_byte_for_byte_as_the_format_has_it() -> None:
    # A map entry each: its name, and as value a tensor (field 7) with its packed values.
    source = b"\x0a\x0f\x0a\x06source\x12\x05\x3a\x03\x0a\x01\x04"
    target = b"\x0a\x10\x0a\x06target\x12\x06\x3a\x04\x0a\x02\xac\x02"
    length = len(source + target)

    assert encode_pair(Pair([4], [300])) == (
        b"\x0a\x23\xd7\xce" + length.to_bytes(4, "little") + source + target + bytes(-length % 4)
    )


def test_numbers_the_same_texts_the_same_way_whatever_their_order() -> None:
    first, second = (build_vocabulary(Counter(text.split()), 9) for text in ("b a c a", "c a a b"))

    assert list(first.items()) == list(second.items())
    assert parse_vocabulary(dump_vocabulary(first).encode()) == first


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "it is not a JSON object that numbers tokens from 0 on"),
        ({"<pad>": 0, "<unk>": 2}, "it is not a JSON object that numbers tokens from 0 on"),
        ({"<pad>": 0, "<unk>": 0}, "it is not a JSON object that numbers tokens from 0 on"),
        ({"<pad>": False}, "it is not a JSON object that numbers tokens from 0 on"),
        ({"<pad>": 1, "<unk>": 0, "<s>": 2, "</s>": 3}, "<pad> must have number 0; the first are <pad>, <unk>"),
        ({}, "<pad> must have number 0"),
        ({"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "a\ud800": 4}, "token 4 has half of a surrogate pair, which"),
    ],
)
def test_refuses_what_is_not_a_vocabulary(document: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_vocabulary(json.dumps(document).encode())


@pytest.mark.parametrize("content", [b"\xff", b"{", b"[" * 100_000])
def test_refuses_a_vocabulary_that_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"codec can't decode|Expecting property name|nested too deeply"):
        parse_vocabulary(content)


@pytest.mark.parametrize(
    "features",
    [
        {},
        {"values": Tensor.pack(np.array([1]))},
        {"source": Tensor.pack(np.array([1.0], np.float32)), "target": Tensor.pack(np.array([1]))},
        {"source": Tensor.pack(np.array([1]), np.array([0]), 5), "target": Tensor.pack(np.array([1]))},
    ],
)
def test_refuses_records_that_are_not_sentences(features: dict[str, Tensor]) -> None:
    with pytest.raises(RecordIOError, match="record 0 at byte 0: has no feature 'source' of 32-bit integers"):
        list(read_pairs(io.BytesIO(frame_message(encode_record(Record(features))))))
