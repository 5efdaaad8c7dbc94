"""Writes a packed set (`headrace.packed.layout`) of the normalized images, beside them.

An instance makes the normalized images of one shard after the other. It writes the shard's pixel file and then,
below `packing/`, what is in it; a shard that has both, and of which nothing was refused, is not made again. The last
instance to end writes the table of all records and, at last, `packed.json`: without that it is no packed set.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, fields
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headrace.packed.layout import RECORD, SET_FILE, TABLE_FILE, ArrayFile, Layout, make_header, name_shard
from headrace.s3.addresses import S3Address

from . import contract
from .attempts import Failure, tally_photograph
from .crew import Crew
from .failure_log import FailureLog
from .failures import DestinationError, SourceError
from .normalized_images import NormalizedImageMaker, Photograph
from .plan import Plan, Planned, Shard
from .shard_file import ShardFile
from .sharing import EVERYTHING, Share
from .storage import Storage
from .tally import Result, Tally

_PIXELS: Final = "application/octet-stream"
_FILE_KEYS: Final = {field.name for field in fields(ArrayFile)}


class Packer:
    """Packs the normalized images of a plan.

    Args:
        storage: S3.
        destination: The prefix of everything that is written.
        plan: Which photographs go where.
        maker: Normalizes them.
    """

    def __init__(self, storage: Storage, destination: S3Address, plan: Plan, maker: NormalizedImageMaker) -> None:
        self._storage = storage
        self._packed = destination.join(contract.PACKED_PREFIX)
        self._parts = destination.join(contract.PACKING_PREFIX)
        self._plan = plan
        self._maker = maker

    def pack(self, share: Share, connections: int, log: FailureLog, tally: Tally) -> None:
        """Normalize and pack an instance's shards, without those that have been packed.

        Refused photographs are tried again, unless the packed set is finished: it does not change.

        Raises:
            DestinationError: If there is a packed set of other photographs.
        """
        is_finished = self._claim()
        for shard in self._plan.cut(share):
            part = self._read_part(shard)
            if part and (is_finished or not part["failures"]):
                _count_again(shard, part, log, tally)
            else:
                self._pack_shard(shard, connections, log, tally)

    def join(self) -> str:
        """Make one set of the shards of all instances; what there is to say about it.

        Raises:
            DestinationError: If another run has finished a packed set of other photographs meanwhile.
            SourceError: If that is not possible.
        """
        self._claim()
        tables, files = [], []
        for shard in self._plan.cut(EVERYTHING):
            part = self._read_part(shard)
            if not part:
                raise SourceError(
                    "photographs were added, replaced or removed while the job ran, so that its instances packed "
                    "different ones; run the job again"
                )
            if not part["rows"]:
                raise SourceError(
                    f"all photographs of {name_shard(shard.number)}, from {shard.photographs[0].photograph.place} on, "
                    "were refused, and a packed set has no empty file; correct or remove them"
                )
            tables.append(np.array(list(map(tuple, part["rows"])), RECORD))
            files.append(ArrayFile(**part["file"]))
        layout = self._write_table(np.concatenate(tables), files)
        mark = {contract.PLAN: self._plan.id}
        self._storage.write(self._packed.join(SET_FILE), layout.dump(), contract.JSON, mark)
        return f"{layout.records} packed in {self._packed}"

    def _claim(self) -> bool:
        """See that there is no packed set of other photographs; whether there is one of these.

        Raises:
            DestinationError: If there is one; it may be trained on, and is not replaced file by file.
        """
        found = self._storage.read_metadata(self._packed.join(SET_FILE))
        if found is not None and found.get(contract.PLAN) != self._plan.id:
            raise DestinationError(
                f"{self._packed} holds a packed set of other photographs, or of other versions of them; choose another "
                "destination, or delete this packed set"
            )
        return found is not None

    def _read_part(self, shard: Shard) -> dict[str, Any] | None:
        """What is in a shard that was packed of the same photographs."""
        part = self._storage.read_json(self._name_part(shard.number))
        if part.get(contract.PLAN) != shard.id or not _is_whole(part):
            return None
        if not part["rows"]:
            return part
        # A run over other photographs may have replaced the pixels since.
        found = self._storage.read_metadata(self._packed.join(name_shard(shard.number)))
        return part if found is not None and found.get(contract.PLAN) == shard.id else None

    def _name_part(self, number: int) -> S3Address:
        return self._parts.join(f"{number:05}.json")

    def _pack_shard(self, shard: Shard, connections: int, log: FailureLog, tally: Tally) -> None:
        failures: dict[int, Failure] = {}
        mark = {contract.PLAN: shard.id}
        with tempfile.TemporaryFile() as file:
            pixels = ShardFile(file, self._plan.shape)

            def work(planned: Planned) -> None:
                make = partial(self._make, pixels=pixels, place=planned.record - shard.photographs[0].record)
                if failure := tally_photograph(planned.photograph, make, log, tally):
                    failures[planned.record] = failure

            Crew(work, connections).work_through(shard.photographs)
            if any(failure.result is Result.UNAVAILABLE for failure in failures.values()):
                return
            described = pixels.close_gaps()
            # Another run may have finished meanwhile.
            self._claim()
            if described.records:
                self._storage.upload(file, self._packed.join(name_shard(shard.number)), _PIXELS, mark)
        part = {
            **mark,
            "file": asdict(described),
            "rows": _list_rows(shard, pixels.checksums),
            "failures": {record: [failure.code, failure.reason] for record, failure in sorted(failures.items())},
        }
        self._storage.write(self._name_part(shard.number), json.dumps(part).encode(), contract.JSON)

    def _make(self, photograph: Photograph, pixels: ShardFile, place: int) -> Result:
        result, image = self._maker.make_pixels(photograph)
        pixels.put(place, np.asarray(image))
        return result

    def _write_table(self, table: NDArray[np.void], files: list[ArrayFile]) -> Layout:
        content = make_header(RECORD, table.shape) + table.tobytes()
        height, width, colours = self._plan.shape
        counts = np.bincount(table["class"], minlength=len(self._plan.labels))
        self._storage.write(self._packed.join(TABLE_FILE), content, _PIXELS)
        return Layout(
            height=height,
            width=width,
            colours=colours,
            classes=tuple(map(int, counts)),
            labels=self._plan.labels,
            table=ArrayFile(len(table), len(content), hashlib.sha256(content).hexdigest()),
            shards=tuple(files),
        )


def _is_whole(part: dict[str, Any]) -> bool:
    """Whether a description of a shard has what is read of it."""
    kinds = {"file": dict, "rows": list, "failures": dict}
    return all(isinstance(part.get(key), kind) for key, kind in kinds.items()) and part["file"].keys() == _FILE_KEYS


def _list_rows(shard: Shard, checksums: dict[int, int]) -> list[tuple[int, int, int]]:
    """The rows of the table: index, class and checksum of each record."""
    return [
        (planned.record, planned.class_number, checksums[place])
        for place, planned in enumerate(shard.photographs)
        if place in checksums
    ]


def _count_again(shard: Shard, part: dict[str, Any], log: FailureLog, tally: Tally) -> None:
    for planned in shard.photographs:
        failure = part["failures"].get(str(planned.record))
        if failure:
            log.write(planned.photograph, *failure)
        tally.count(Result.REFUSED if failure else Result.KEPT)
