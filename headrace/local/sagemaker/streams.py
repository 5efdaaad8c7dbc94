"""What the pipes of a channel carry: its objects, or the attributes of its augmented manifest, epoch by epoch."""

import gzip
import json
import random
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.host import S3Client
from headrace.local.sagemaker.s3_objects import parse_address, read_object
from headrace.local.sagemaker.shards import Shard, find_shard
from headrace.s3.addresses import S3Address

BLOCK_BYTES: Final = 1 << 20
REFERENCE_SUFFIX: Final = "-ref"
# What one step of an epoch is: objects to fetch and texts to send, one after the other.
Entry = tuple[S3Address | bytes, ...]


@dataclass(frozen=True, kw_only=True)
class ChannelStream:
    """What one instance gets through the pipes of a channel.

    Args:
        s3: A client of the job's role.
        entries: Those of the whole channel, in its own order.
        shard: Which of them are for this instance.
        seed: Where it is given, each epoch has another order, which depends on nothing else.
        is_wrapped: Whether each part of an entry is a RecordIO record.
        is_compressed: Whether objects are unpacked on their way.
    """

    s3: S3Client
    entries: Sequence[Entry]
    shard: Shard
    seed: int | None
    is_wrapped: bool
    is_compressed: bool

    def read_epoch(self, epoch: int) -> Generator[bytes, None, None]:
        """The bytes of an epoch, counted from 0; raises JobDataError for an object that cannot be read."""
        for part in (part for entry in self._order(epoch) for part in entry):
            blocks = iter([part]) if isinstance(part, bytes) else self._read_object(part)
            yield from wrap(blocks) if self.is_wrapped else blocks

    def _order(self, epoch: int) -> Sequence[Entry]:
        entries = list(self.entries)
        if self.seed is not None:
            random.Random(f"{self.seed} {epoch}").shuffle(entries)  # noqa: S311 (an order, not a secret)
        # As on SageMaker, an entry may go to another instance in another epoch.
        return self.shard.take(entries)

    def _read_object(self, location: S3Address) -> Iterator[bytes]:
        with closing(read_object(self.s3, location)) as body:
            if not self.is_compressed:
                yield from read_blocks(body.read)
                return
            try:
                with gzip.GzipFile(fileobj=BytesIO(body.read())) as unpacked:
                    yield from read_blocks(unpacked.read)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise JobDataError(f"Data download failed: {location} is not gzip, or damaged: {error}") from error


def wrap(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """One RecordIO record."""
    # It brings NumPy, which no other job needs here.
    from headrace.recordio.framing import frame_record

    yield frame_record(b"".join(blocks))


def read_blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Everything that can be read, a block at a time."""
    return iter(lambda: read(BLOCK_BYTES), b"")


def open_stream(s3: S3Client, channel: Mapping[str, Any], entries: Sequence[Entry], shard: Shard) -> ChannelStream:
    """What one instance gets of the entries of a channel, as its request says."""
    source = channel["DataSource"]["S3DataSource"]
    return ChannelStream(
        s3=s3,
        entries=entries,
        shard=find_shard(source, shard),
        seed=channel["ShuffleConfig"]["Seed"] if "ShuffleConfig" in channel else None,
        is_wrapped=channel.get("RecordWrapperType") == "RecordIO",
        is_compressed=channel.get("CompressionType") == "Gzip",
    )


def parse_augmented_manifest(location: S3Address, content: bytes, attributes: Sequence[str]) -> list[Entry]:
    """What each line of an augmented manifest sends: the object of a `-ref` attribute, the text of any other.

    https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest-stream.html

    Raises:
        JobDataError: A line is no JSON object, or lacks an attribute; SageMaker's own words for it are not documented.
    """
    from headrace.lst.problems import Problem
    from headrace.manifest.records import parse_line

    entries = []
    for number, raw in enumerate(content.splitlines(), start=1):
        if not raw.strip():
            continue
        record = parse_line(number, raw)
        if isinstance(record, Problem):
            raise JobDataError(f"Data download failed: the augmented manifest {location}, {record}")
        missing = [name for name in attributes if name not in record.data]
        if missing:
            raise JobDataError(
                f"Data download failed: the augmented manifest {location}, line {number}: has no attribute "
                f'"{missing[0]}", which AttributeNames asks for; it has {", ".join(record.data)}'
            )
        entries.append(tuple(read_attribute(location, number, name, record.data[name]) for name in attributes))
    if not entries:
        raise JobDataError(f"Data download failed: the augmented manifest {location} has no lines")
    return entries


def read_attribute(location: S3Address, number: int, name: str, value: Any) -> S3Address | bytes:
    """What one attribute of a line sends."""
    if not name.endswith(REFERENCE_SUFFIX):
        return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
    try:
        return parse_address(value if isinstance(value, str) else json.dumps(value))
    except JobDataError as error:
        raise JobDataError(
            f"Data download failed: the augmented manifest {location}, line {number}, {name}: {error}"
        ) from error
