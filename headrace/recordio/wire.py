"""Protocol Buffers' wire format: https://protobuf.dev/programming-guides/encoding/.

A message is fields one after the other, each a tag, which is the field's number and its wire type, and then a value.
Numbers are varints: seven bits a byte, the lowest first, with the top bit set on all bytes but the last.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

VARINT, DELIMITED = 0, 2
FIXED_SIZES = {1: 8, 5: 4}
TYPE_BITS = 3
TYPE_MASK = 7
LONGEST_VARINT = 10

Bytes = NDArray[np.uint8]
Unsigned = NDArray[np.uint64]
Counts = NDArray[np.int64]


class WireError(Exception):
    """Bytes that are not a message; its message says why."""


def encode_varint(number: int) -> bytes:
    """A number from 0 as a varint."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def encode_tag(number: int) -> bytes:
    """The tag of a field that is text, bytes, a message or a packed list."""
    return encode_varint(number << TYPE_BITS | DELIMITED)


def encode_field(number: int, content: bytes) -> bytes:
    """A field that is text, bytes, a message or a packed list."""
    return encode_tag(number) + encode_varint(len(content)) + content


def read_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The number and the bytes of each field; of a number the bytes are its own, as in a packed list."""
    position = 0
    while position < len(message):
        tag, start = read_varint(message, position)
        wire_type = tag & TYPE_MASK
        if wire_type == DELIMITED:
            length, start = read_varint(message, start)
            position = start + length
        elif wire_type == VARINT:
            _, position = read_varint(message, start)
        elif wire_type in FIXED_SIZES:
            position = start + FIXED_SIZES[wire_type]
        else:
            raise WireError(f"a field has the unknown wire type {wire_type}")
        if position > len(message):
            raise WireError(f"field {tag >> TYPE_BITS} reaches beyond its message")
        yield tag >> TYPE_BITS, message[start:position]


def read_varint(message: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position after it."""
    if position < len(message) and message[position] < 0x80:
        return message[position], position + 1
    number = 0
    for index, byte in enumerate(message[position : position + LONGEST_VARINT]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, position + index + 1
    raise WireError("a number has no end")


def encode_varints(numbers: Unsigned) -> tuple[Bytes, Counts]:
    """Many varints end to end, and how many bytes each has."""
    sizes = np.ones(len(numbers), np.int64)
    for bits in range(7, 64, 7):
        beyond = numbers >= np.uint64(1 << bits)
        if not beyond.any():
            break
        sizes += beyond
    starts = np.cumsum(sizes) - sizes
    encoded = np.empty(int(sizes.sum()), np.uint8)
    encoded[starts] = numbers.astype(np.uint8) & 0x7F
    longer = np.flatnonzero(sizes > 1)
    for index in range(1, int(sizes.max(initial=0))):
        # Another septet follows, so the one before is marked.
        encoded[starts[longer] + index - 1] |= 0x80
        encoded[starts[longer] + index] = (numbers[longer] >> np.uint64(7 * index)).astype(np.uint8) & 0x7F
        longer = longer[sizes[longer] > index + 1]
    return encoded, sizes


def decode_varints(encoded: bytes | Bytes) -> Unsigned:
    """The numbers of varints that stand end to end."""
    raw = np.frombuffer(encoded, np.uint8)
    ends = np.flatnonzero(raw < 0x80) + 1
    if (int(ends[-1]) if len(ends) else 0) != len(raw):
        raise WireError("a number has no end")
    if len(ends) == len(raw):
        return raw.astype(np.uint64)
    starts = np.concatenate(([0], ends[:-1]))
    sizes = ends - starts
    if sizes.max() > LONGEST_VARINT:
        raise WireError("a number has more than 64 bits")
    numbers = (raw[starts] & 0x7F).astype(np.uint64)
    reaching = np.flatnonzero(sizes > 1)
    for index in range(1, int(sizes.max())):
        septets = (raw[starts[reaching] + index] & 0x7F).astype(np.uint64)
        numbers[reaching] |= septets << np.uint64(7 * index)
        reaching = reaching[sizes[reaching] > index + 1]
    return numbers


def count_varints(pieces: list[bytes]) -> Counts:
    """How many numbers each of several packed lists has."""
    raw = np.frombuffer(b"".join(pieces), np.uint8)
    return count_numbers(raw, np.cumsum([len(piece) for piece in pieces], dtype=np.int64))


def count_numbers(raw: Bytes, ends: Counts) -> Counts:
    """How many numbers each of several packed lists has that stand end to end, by where they end."""
    ends_before = np.concatenate(([0], np.cumsum(raw < 0x80)))
    return np.asarray(np.diff(ends_before[ends], prepend=0), np.int64)
