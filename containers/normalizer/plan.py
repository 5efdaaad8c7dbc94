"""Which photographs go into which file of a packed set, settled before any is normalized.

The photographs are taken in S3's order and cut evenly into shards; instance i of n takes every n-th shard. So what a
shard holds does not depend on how many instances there are, and all of them come to the same plan, unless photographs
change while they list them.
"""

import hashlib
import json
import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Final, NamedTuple

from headrace.normalizer.options import Colour
from headrace.packed.layout import MOST_RECORDS, MOST_SHARDS, find_bad_label
from headrace.s3.addresses import S3Address

from .arguments import Job
from .destination import describe_recipe
from .failures import SourceError
from .normalized_images import Photograph
from .sharing import Share

# Lost with an instance, and held on its disk.
SHARD_BYTES: Final = 256 << 20
# Small sets are divided, too: into so many shards, unless each had fewer records than a training loop reads as one.
_SHARDS: Final = 64
_LEAST_RECORDS: Final = 64
_DIGEST_BYTES: Final = 16


class Planned(NamedTuple):
    """A photograph, the index of its record, which is its place among all, and its class."""

    photograph: Photograph
    record: int
    class_number: int


class Shard(NamedTuple):
    """The photographs whose pixels go into one file, and what changes with their content, order and options."""

    number: int
    id: str
    photographs: tuple[Planned, ...]


class Plan:
    """All photographs of a prefix, kept on disk: there may be millions.

    Args:
        job: Whose they are.
        photographs: In S3's order.
        file: An empty file.

    Raises:
        SourceError: If they cannot be packed, or one lies in no folder, so that it has no class.
    """

    def __init__(self, job: Job, photographs: Iterable[Photograph], file: IO[bytes]) -> None:
        self._source = job.source
        self._recipe = json.dumps(describe_recipe(job)).encode()
        self._file = file
        self.shape = (job.options.height, job.options.width, 1 if job.options.colour is Colour.GREY else 3)
        self.records = 0
        labels: set[str] = set()
        digest = hashlib.blake2b(self._recipe, digest_size=_DIGEST_BYTES)
        for photograph in photographs:
            labels.add(self._name_class(photograph.path))
            digest.update(json.dumps([photograph.path, photograph.etag]).encode())
            known = (photograph.path, photograph.etag, photograph.may_be_normalized, photograph.is_normalized)
            file.write(f"{json.dumps(known)}\n".encode())
            self.records += 1
        self.labels = tuple(sorted(labels))
        self.shards = count_shards(self.records, self.shape)
        digest.update(str(self.shards).encode())
        self.id = digest.hexdigest()
        self._check()

    def cut(self, share: Share) -> Iterator[Shard]:
        """The shards of an instance."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        self._file.seek(0)
        begin = 0
        for shard in range(self.shards):
            # Evenly: what is refused of a last shard of a few could leave it without any.
            end = (shard + 1) * self.records // self.shards
            lines = islice(self._file, end - begin)
            if shard % share.count == share.index:
                photographs = tuple(
                    Planned(photograph, record, numbers[self._name_class(photograph.path)])
                    for record, photograph in enumerate(map(self._parse, lines), start=begin)
                )
                yield Shard(shard, self._identify(photographs), photographs)
            else:
                deque(lines, maxlen=0)
            begin = end

    def _identify(self, photographs: Iterable[Planned]) -> str:
        digest = hashlib.blake2b(self._recipe, digest_size=_DIGEST_BYTES)
        for photograph, record, class_number in photographs:
            digest.update(json.dumps([photograph.path, photograph.etag, record, class_number]).encode())
        return digest.hexdigest()

    def _parse(self, line: bytes) -> Photograph:
        path, etag, may_be_normalized, is_normalized = json.loads(line)
        return Photograph(self._source.join(path), path, etag, may_be_normalized, is_normalized)

    def _name_class(self, path: str) -> str:
        folder, slash, _ = path.partition("/")
        if not slash:
            raise SourceError(
                f"{self._source.join(path)} lies in no folder of {self._source}; the folders are the classes of the "
                "packed set: move it into one"
            )
        return folder

    def _check(self) -> None:
        if bad := find_bad_label(self.labels):
            folder = S3Address(self._source.bucket, f"{self._source.key}{self.labels[bad[0]]}/")
            raise SourceError(f"{folder}: as the name of a class it {bad[1]}; rename the folder")
        if self.records > MOST_RECORDS or self.shards > MOST_SHARDS:
            raise SourceError(
                f"{self._source}: {self.records:,} photographs are too many for a packed set in this width and height, "
                f"which has at most {MOST_RECORDS:,} records in {MOST_SHARDS:,} files; divide them among several sets"
            )


def count_shards(records: int, shape: tuple[int, int, int]) -> int:
    """Into how many shards so many photographs are divided."""
    most = SHARD_BYTES // math.prod(shape)
    return max(-(-records // most), min(_SHARDS, records // _LEAST_RECORDS))
