"""Parquet files with columns of texts, whole numbers and decimal numbers: Lambda's runtime has no package for them.

The format: https://github.com/apache/parquet-format, with Thrift's compact protocol for its headers
(https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). Values are PLAIN and compressed by
gzip, in one page for each column of a group of rows.
"""

import gzip
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

_MAGIC: Final = b"PAR1"
_ROWS_A_GROUP: Final = 50_000
# Thrift's types, and those of Parquet.
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_TYPES: Final[Mapping[type, int]] = {int: 2, float: 5, str: 6}
_UTF8: Final = 0
_PLAIN, _RLE = 0, 3
_GZIP: Final = 2
_REQUIRED: Final = 0
_DATA_PAGE: Final = 0


@dataclass(frozen=True)
class Column:
    """A column: its name, and what it holds: `int`, `float` or `str`."""

    name: str
    kind: type


@dataclass(frozen=True)
class _Chunk:
    column: Column
    offset: int
    values: int
    raw_bytes: int
    packed_bytes: int


def write_parquet(target: BinaryIO, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows, each of which has every column.

    Args:
        target: Where to write.
        columns: The columns.
        rows: The rows; held in memory for one group of rows at a time.

    Returns:
        How many rows were written.
    """
    written, groups = target.write(_MAGIC), list[tuple[int, list[_Chunk]]]()
    left = iter(rows)
    while group := list(islice(left, _ROWS_A_GROUP)):
        chunks = list[_Chunk]()
        for column in columns:
            chunk, content = _render_chunk(column, [row[column.name] for row in group], written)
            written += target.write(content)
            chunks.append(chunk)
        groups.append((len(group), chunks))
    footer = _render_footer(columns, groups)
    target.write(footer + struct.pack("<I", len(footer)) + _MAGIC)
    return sum(count for count, _ in groups)


def _render_chunk(column: Column, values: Sequence[Any], offset: int) -> tuple[_Chunk, bytes]:
    raw = b"".join(_render_values(column.kind, values))
    packed = gzip.compress(raw, mtime=0)
    header = _struct(
        {
            1: (_I32, _DATA_PAGE),
            2: (_I32, len(raw)),
            3: (_I32, len(packed)),
            5: (_STRUCT, {1: (_I32, len(values)), 2: (_I32, _PLAIN), 3: (_I32, _RLE), 4: (_I32, _RLE)}),
        }
    )
    chunk = _Chunk(column, offset, len(values), len(header) + len(raw), len(header) + len(packed))
    return chunk, header + packed


def _render_values(kind: type, values: Sequence[Any]) -> Iterator[bytes]:
    if kind is str:
        for value in values:
            text = str(value).encode()
            yield struct.pack("<I", len(text)) + text
    else:
        yield struct.pack(f"<{len(values)}{'q' if kind is int else 'd'}", *values)


def _render_footer(columns: Sequence[Column], groups: Sequence[tuple[int, list[_Chunk]]]) -> bytes:
    root = {4: (_BINARY, b"schema"), 5: (_I32, len(columns))}
    return _struct(
        {
            1: (_I32, 1),
            2: (_LIST, (_STRUCT, [root, *map(_describe_column, columns)])),
            3: (_I64, sum(count for count, _ in groups)),
            4: (_LIST, (_STRUCT, [_describe_group(*group) for group in groups])),
            6: (_BINARY, b"headrace"),
        }
    )


def _describe_column(column: Column) -> Mapping[int, Any]:
    described = {1: (_I32, _TYPES[column.kind]), 3: (_I32, _REQUIRED), 4: (_BINARY, column.name.encode())}
    return described | ({6: (_I32, _UTF8)} if column.kind is str else {})


def _describe_group(count: int, chunks: Sequence[_Chunk]) -> Mapping[int, Any]:
    return {
        1: (_LIST, (_STRUCT, [{2: (_I64, chunk.offset), 3: (_STRUCT, _describe_chunk(chunk))} for chunk in chunks])),
        2: (_I64, sum(chunk.raw_bytes for chunk in chunks)),
        3: (_I64, count),
    }


def _describe_chunk(chunk: _Chunk) -> Mapping[int, Any]:
    return {
        1: (_I32, _TYPES[chunk.column.kind]),
        2: (_LIST, (_I32, [_PLAIN])),
        3: (_LIST, (_BINARY, [chunk.column.name.encode()])),
        4: (_I32, _GZIP),
        5: (_I64, chunk.values),
        6: (_I64, chunk.raw_bytes),
        7: (_I64, chunk.packed_bytes),
        9: (_I64, chunk.offset),
    }


def _struct(fields: Mapping[int, tuple[int, Any]]) -> bytes:
    """Thrift's compact protocol: each field's number as the difference to the one before, which is small here."""
    rendered, before = bytearray(), 0
    for number, (kind, value) in fields.items():
        rendered += bytes([(number - before) << 4 | kind]) + _value(kind, value)
        before = number
    return bytes(rendered) + b"\0"


def _value(kind: int, value: Any) -> bytes:
    if kind == _STRUCT:
        return _struct(value)
    if kind == _LIST:
        of, members = value
        size = bytes([len(members) << 4 | of]) if len(members) < 15 else bytes([0xF0 | of]) + _varint(len(members))
        return size + b"".join(_value(of, member) for member in members)
    if kind == _BINARY:
        return _varint(len(value)) + bytes(value)
    return _varint(value << 1)


def _varint(number: int) -> bytes:
    """A whole number that is not negative, seven bits a byte, the lowest first."""
    rendered = bytearray()
    while number > 0x7F:
        rendered.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*rendered, number])
