"""SageMaker's RecordIO-protobuf: what its built-in algorithms read, one message `aialgs.data.Record` per record.

    message Float32Tensor { repeated float  values = 1; repeated uint64 keys = 2; repeated uint64 shape = 3; }
    message Float64Tensor { repeated double values = 1; ... }
    message Int32Tensor   { repeated int32  values = 1; ... }
    message Value { oneof { Float32Tensor = 2; Float64Tensor = 3; Int32Tensor = 7; Bytes = 9; } }
    message Record {
      map<string, Value> features = 1; map<string, Value> label = 2;
      string uid = 3; string metadata = 4; string configuration = 5;
    }

A tensor without keys is dense. A sparse one has the positions of its values as keys and its width as shape. The format
is that of https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html. The one feature 1.0 with the label 0.0:

    0a 12 0a 06 "values" 12 08 12 06 0a 04 00 00 80 3f 12 12 0a 06 "values" 12 08 12 06 0a 04 00 00 00 00
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from headrace.files import whole_file
from headrace.recordio.framing import Frame, Part, RecordIOError, frame_piece, name_frame, read_frames
from headrace.recordio.inputs import open_file
from headrace.recordio.wire import (
    WireError,
    decode_varints,
    encode_field,
    encode_tag,
    encode_varints,
    read_fields,
    read_varint,
)

VALUES, KEYS, SHAPE = 1, 2, 3
MAP_KEY, MAP_VALUE = 1, 2
FEATURES, LABEL, UID, METADATA, CONFIGURATION = 1, 2, 3, 4, 5
# What SageMaker's algorithms call the only tensor of features, and the only one of labels.
TENSOR_NAME = "values"

Array = NDArray[Any]


class TensorType(Enum):
    """The types of tensors: the field of `Value` and the type of the numbers."""

    FLOAT32 = (2, np.dtype("<f4"))
    FLOAT64 = (3, np.dtype("<f8"))
    INT32 = (7, np.dtype("<i4"))

    @property
    def field(self) -> int:
        """The field of `Value` that holds such a tensor."""
        return int(self.value[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers in memory."""
        dtype: np.dtype[Any] = self.value[1]
        return dtype

    def __str__(self) -> str:
        return self.name.lower()


TYPES_BY_FIELD = {tensor_type.field: tensor_type for tensor_type in TensorType}
TYPES_BY_TAG = {encode_tag(tensor_type.field): tensor_type for tensor_type in TensorType}
USUAL_START = encode_field(MAP_KEY, TENSOR_NAME.encode()) + encode_tag(MAP_VALUE)
LIST_TAGS = [(number, encode_tag(number)[0]) for number in (VALUES, KEYS, SHAPE)]
FLOATS = {4: TensorType.FLOAT32, 8: TensorType.FLOAT64}


def find_type(name: str, array: Array) -> TensorType:
    """The type of tensor that holds an array's numbers exactly.

    Args:
        name: What to call the array when there is none.
        array: Numbers; whole ones have to fit 32 bits.
    """
    if array.dtype.kind == "f" and array.dtype.itemsize in FLOATS:
        return FLOATS[array.dtype.itemsize]
    if array.dtype.kind not in "iu":
        raise RecordIOError(f"{name} are {array.dtype}; give float32, float64 or whole numbers")
    limits = np.iinfo(np.int32)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise RecordIOError(f"{name} have whole numbers beyond 32 bits; give them as float64")
    return TensorType.INT32


@dataclass(frozen=True)
class Tensor:
    """A tensor as it stands in a record: packed numbers of one type, with keys and a shape where it is sparse."""

    type: TensorType
    packed_values: bytes = b""
    packed_keys: bytes = b""
    packed_shape: bytes = b""

    @classmethod
    def pack(cls, values: Array, keys: Array | None = None, width: int | None = None) -> Self:
        """The tensor of some values; keys and width make it sparse."""
        tensor_type = find_type("values", values)
        return cls(
            tensor_type,
            pack_numbers(tensor_type, values),
            b"" if keys is None else encode_varints(keys.astype(np.uint64))[0].tobytes(),
            b"" if width is None else encode_varints(np.array([width], np.uint64))[0].tobytes(),
        )

    @property
    def values(self) -> Array:
        """Its numbers."""
        return unpack_numbers(self.type, self.packed_values)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The positions of its numbers, where it is sparse."""
        return decode_varints(self.packed_keys)

    @property
    def shape(self) -> tuple[int, ...]:
        """Its width, where it is sparse."""
        return tuple(decode_varints(self.packed_shape).tolist())

    @property
    def is_sparse(self) -> bool:
        """Whether it has keys; a sparse row of zeros has no values either, but a shape."""
        return bool(self.packed_keys) or bool(self.packed_shape and not self.packed_values)


def pack_numbers(tensor_type: TensorType, numbers: Array) -> bytes:
    """Numbers as a packed list."""
    if tensor_type is TensorType.INT32:
        return encode_varints(numbers.astype(np.int64).view(np.uint64))[0].tobytes()
    return numbers.astype(tensor_type.dtype).tobytes()


def unpack_numbers(tensor_type: TensorType, packed: bytes) -> Array:
    """The numbers of a packed list."""
    if tensor_type is TensorType.INT32:
        return decode_varints(packed).astype(np.uint32).view(np.int32)
    return np.frombuffer(packed, tensor_type.dtype)


@dataclass(frozen=True)
class Record:
    """A message with its tensors by name; most algorithms know one of either kind, called `values`."""

    features: Mapping[str, Tensor]
    label: Mapping[str, Tensor] = field(default_factory=dict)
    uid: str = ""
    metadata: str = ""
    configuration: str = ""


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write records to a file, which appears whole or not at all, and return how many.

    Args:
        path: The file.
        records: For tables of numbers `write_rows` is faster by far; this is for records of several tensors, such as
            the `source` and `target` of sequence-to-sequence.
    """
    count = 0
    with whole_file(path) as partial, partial.open("wb") as file:
        for record in records:
            file.write(frame_message(encode_record(record)))
            count += 1
    return count


def frame_message(message: bytes) -> bytes:
    """A message as a record in one piece, as SageMaker's SDK writes it."""
    return frame_piece(Part.WHOLE, message)


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file, one at a time."""
    with open_file(path) as file:
        for frame in read_frames(file):
            yield decode_record(frame)


def encode_record(record: Record) -> bytes:
    """A record's message."""
    texts = ((UID, record.uid), (METADATA, record.metadata), (CONFIGURATION, record.configuration))
    return b"".join(
        [
            *(encode_field(FEATURES, encode_entry(name, tensor)) for name, tensor in record.features.items()),
            *(encode_field(LABEL, encode_entry(name, tensor)) for name, tensor in record.label.items()),
            *(encode_field(number, text.encode()) for number, text in texts if text),
        ]
    )


def encode_entry(name: str, tensor: Tensor) -> bytes:
    """An entry of a map of tensors."""
    lists = ((VALUES, tensor.packed_values), (KEYS, tensor.packed_keys), (SHAPE, tensor.packed_shape))
    content = b"".join(encode_field(number, packed) for number, packed in lists if packed)
    value = encode_field(tensor.type.field, content)
    return encode_field(MAP_KEY, name.encode()) + encode_field(MAP_VALUE, value)


def decode_record(frame: Frame) -> Record:
    """The record of a message."""
    try:
        return parse_message(frame.payload)
    except (WireError, UnicodeDecodeError) as error:
        raise refuse_frame(frame, error) from error


def refuse_frame(frame: Frame, reason: Exception) -> RecordIOError:
    """The error of a record that holds no message."""
    return RecordIOError(f"{name_frame(frame)}: is not a message of SageMaker's RecordIO-protobuf: {reason}")


def parse_message(message: bytes) -> Record:
    """The record of a message's bytes; fields that are unknown are left out."""
    tensors: dict[int, dict[str, Tensor]] = {FEATURES: {}, LABEL: {}}
    texts: dict[int, str] = {}
    for number, content in read_fields(message):
        if number in tensors:
            name, tensor = parse_entry(content)
            tensors[number][name] = tensor
        elif number in (UID, METADATA, CONFIGURATION):
            texts[number] = content.decode()
    return Record(
        tensors[FEATURES], tensors[LABEL], texts.get(UID, ""), texts.get(METADATA, ""), texts.get(CONFIGURATION, "")
    )


def parse_entry(entry: bytes) -> tuple[str, Tensor]:
    """The name and the tensor of an entry of a map."""
    tensor = parse_usual_entry(entry)
    if tensor:
        return TENSOR_NAME, tensor
    fields = dict(read_fields(entry))
    name = fields.get(MAP_KEY, b"").decode()
    for number, content in read_fields(fields.get(MAP_VALUE, b"")):
        if number in TYPES_BY_FIELD:
            return name, parse_tensor(TYPES_BY_FIELD[number], content)
    raise WireError(f"{name!r} is not a tensor of {', '.join(map(str, TensorType))}")


def parse_usual_entry(entry: bytes) -> Tensor | None:
    """The tensor of an entry called `values` with its fields in order, which is several times faster than any entry."""
    if not entry.startswith(USUAL_START):
        return None
    size = len(entry)
    value_length, position = read_varint(entry, len(USUAL_START))
    tensor_type = TYPES_BY_TAG.get(entry[position : position + 1])
    if tensor_type is None or position + value_length != size:
        return None
    tensor_length, position = read_varint(entry, position + 1)
    if position + tensor_length != size:
        return None
    lists = {VALUES: b"", KEYS: b"", SHAPE: b""}
    for number, tag in LIST_TAGS:
        if position < size and entry[position] == tag:
            length, start = read_varint(entry, position + 1)
            position = start + length
            lists[number] = entry[start:position]
    if position != size:
        return None
    check_ends(tensor_type, lists)
    return Tensor(tensor_type, lists[VALUES], lists[KEYS], lists[SHAPE])


def parse_tensor(tensor_type: TensorType, content: bytes) -> Tensor:
    """The tensor of its message; a list may come in several pieces or number by number."""
    lists = {VALUES: bytearray(), KEYS: bytearray(), SHAPE: bytearray()}
    for number, packed in read_fields(content):
        if number in lists:
            lists[number] += packed
    check_ends(tensor_type, lists)
    return Tensor(tensor_type, bytes(lists[VALUES]), bytes(lists[KEYS]), bytes(lists[SHAPE]))


def check_ends(tensor_type: TensorType, lists: Mapping[int, bytes | bytearray]) -> None:
    """Refuse lists that end within a number: joined with others they would be read as something else."""
    varints = [lists[KEYS], lists[SHAPE]]
    if tensor_type is TensorType.INT32:
        varints.append(lists[VALUES])
    elif len(lists[VALUES]) % tensor_type.dtype.itemsize:
        raise WireError(f"{len(lists[VALUES]):,} bytes of values are not a multiple of {tensor_type}")
    for packed in varints:
        if packed and packed[-1] >= 0x80:
            raise WireError("a list ends within a number")
