import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.recordio import wire

from . import plain

NUMBERS = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1)), max_size=20)


@given(NUMBERS)
def test_encodes_many_numbers_as_one_after_the_other(numbers: list[int]) -> None:
    encoded, sizes = wire.encode_varints(np.array(numbers, np.uint64))

    assert encoded.tobytes() == b"".join(map(plain.varint, numbers)) == b"".join(map(wire.encode_varint, numbers))
    assert sizes.tolist() == [len(plain.varint(number)) for number in numbers]


@given(NUMBERS)
def test_decodes_many_numbers(numbers: list[int]) -> None:
    assert wire.decode_varints(b"".join(map(plain.varint, numbers))).tolist() == numbers


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_counts_the_numbers_of_each_list(lists: list[list[int]]) -> None:
    packed = [b"".join(map(plain.varint, numbers)) for numbers in lists]

    assert wire.count_varints(packed).tolist() == list(map(len, lists))


def test_reads_fields_of_every_wire_type() -> None:
    message = b"\x08\xac\x02" + b"\x11" + b"8" * 8 + b"\x1a\x02ab" + b"\x25" + b"4" * 4

    assert list(wire.read_fields(message)) == [(1, b"\xac\x02"), (2, b"8" * 8), (3, b"ab"), (4, b"4" * 4)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x0a\x05abc", "field 1 reaches beyond its message"),
        (b"\x11abc", "field 2 reaches beyond its message"),
        (b"\x0b", "a field has the unknown wire type 3"),
        (b"\x0a", "a number has no end"),
        (b"\x80\x80", "a number has no end"),
        (b"\xff" * 10 + b"\1", "a number has no end"),
    ],
)
def test_refuses_what_is_no_message(message: bytes, reason: str) -> None:
    with pytest.raises(wire.WireError, match=reason):
        list(wire.read_fields(message))


@pytest.mark.parametrize(("packed", "reason"), [(b"\1\x80", "no end"), (b"\xff" * 10 + b"\1", "more than 64 bits")])
def test_refuses_lists_of_broken_numbers(packed: bytes, reason: str) -> None:
    with pytest.raises(wire.WireError, match=reason):
        wire.decode_varints(packed)
