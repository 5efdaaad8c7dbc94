"""Brings a run's data to where jobs read it, beside what somebody else has put there.

What a run brings it may replace or take away again later; other data are never touched. It knows its own by a
record of what it brought, each with a fingerprint that changes when somebody puts other content in its place.
"""

import itertools
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import boto3

from headrace.errors import HeadraceError
from headrace.files import whole_file
from headrace.s3.addresses import S3Address

_RECORD: Final = "delivered.json"
_SHOWN: Final = 3


class ForeignDataError(HeadraceError):
    """Where data are to go there are some already that no run has brought."""


class Place(Protocol):
    """Somewhere that a job reads files from."""

    @property
    def address(self) -> str:
        """How people write it."""

    def list_files(self) -> dict[str, str]:
        """The fingerprint of each file by its name."""

    def read(self, name: str) -> bytes:
        """A file's content."""

    def put(self, name: str, file: Path) -> None:
        """Put a file there, over one of the same name."""

    def remove(self, name: str) -> None:
        """Take a file away."""


@dataclass(frozen=True)
class Prefix:
    """The objects below a prefix of a bucket."""

    bucket: str
    prefix: str

    @property
    def address(self) -> str:
        """The prefix's URI."""
        return str(S3Address(self.bucket, self.prefix))

    def list_files(self) -> dict[str, str]:
        """The entity tag of each object by its name below the prefix; objects that stand for folders are none."""
        pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        found = itertools.chain.from_iterable(page.get("Contents", []) for page in pages)
        return {item["Key"].removeprefix(self.prefix): item["ETag"] for item in found if not item["Key"].endswith("/")}

    def read(self, name: str) -> bytes:
        """An object's content."""
        return bytes(_s3().get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read())

    def put(self, name: str, file: Path) -> None:
        """Upload a file."""
        _s3().upload_file(str(file), self.bucket, self.prefix + name)

    def remove(self, name: str) -> None:
        """Delete an object."""
        _s3().delete_object(Bucket=self.bucket, Key=self.prefix + name)


@dataclass(frozen=True)
class Folder:
    """The files of a folder that stands for a file system's."""

    path: Path

    @property
    def address(self) -> str:
        """The folder's path."""
        return str(self.path)

    def list_files(self) -> dict[str, str]:
        """Size and time of each file by its path in the folder."""
        found = {path.relative_to(self.path).as_posix(): path.stat() for path in self.path.rglob("*") if path.is_file()}
        return {name: f"{status.st_size}-{status.st_mtime_ns}" for name, status in found.items()}

    def read(self, name: str) -> bytes:
        """A file's content."""
        return (self.path / name).read_bytes()

    def put(self, name: str, file: Path) -> None:
        """Copy a file there."""
        with whole_file(self.path / name) as copy:
            shutil.copyfile(file, copy)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.path / name).unlink(missing_ok=True)


class Delivery:
    """What runs have brought to the places of a local cloud.

    Args:
        root: The local cloud's folder, which keeps the record.
    """

    def __init__(self, root: Path) -> None:
        self._record = root / _RECORD
        self._brought: dict[str, dict[str, str]] = json.loads(self._record.read_text()) if self._record.exists() else {}

    def find_foreign(
        self, places: Iterable[Place], *, matters: Callable[[str], bool] = lambda _: True
    ) -> dict[Place, list[str]]:
        """The places with files that no run has brought, and their names.

        Args:
            places: Where to look.
            matters: Whether a job would read a file of this name at all.
        """
        foreign = {place: sorted(filter(matters, self._list_foreign(place))) for place in places}
        return {place: names for place, names in foreign.items() if names}

    def bring(self, place: Place, files: Mapping[str, Path]) -> None:
        """Make these files the only ones at a place that a run has brought.

        Raises:
            ForeignDataError: If one of them would take the place of somebody else's.
        """
        foreign = self._list_foreign(place)
        refuse_foreign({place: sorted(foreign & files.keys())} if foreign & files.keys() else {})
        stale = self._brought.get(place.address, {}).keys() - files.keys() - foreign
        for name in stale & place.list_files().keys():
            place.remove(name)
        for name, file in files.items():
            place.put(name, file)
        found = place.list_files()
        self._brought[place.address] = {name: found[name] for name in files}
        self._write()

    def _list_foreign(self, place: Place) -> set[str]:
        own = self._brought.get(place.address, {})
        return {name for name, fingerprint in place.list_files().items() if own.get(name) != fingerprint}

    def _write(self) -> None:
        with whole_file(self._record) as file:
            file.write_text(json.dumps(self._brought))


def bring_file(
    delivery: Delivery, place: Prefix, file: Path, *, is_given: bool, ending: str, scratch: Path
) -> tuple[Path, str | None]:
    """Put a file where the pipeline reads it, over what earlier runs put there.

    Without your own file, data that somebody else has put there are used instead of generated ones.

    Args:
        delivery: What runs have brought.
        place: Where the pipeline reads it.
        file: The file.
        is_given: Whether it is your own.
        ending: The ending of the names of data, in lower case; other objects there do not matter.
        scratch: Where data of somebody else are copied to.

    Returns:
        The file that the pipeline reads, and the name of the object that it is a copy of, where it is somebody else's.

    Raises:
        ForeignDataError: If somebody else has put some there, and the file is your own.
    """
    foreign = delivery.find_foreign([place], matters=lambda name: name.lower().endswith(ending))
    if foreign and not is_given:
        name = foreign[place][0]
        copy = scratch / f"asked{ending}"
        scratch.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(place.read(name))
        return copy, name
    refuse_foreign(foreign)
    delivery.bring(place, {file.name: file})
    return file, None


def refuse_foreign(foreign: Mapping[Place, list[str]]) -> None:
    """Refuse to bring data to where somebody else's are.

    Raises:
        ForeignDataError: Naming them, if there are any.
    """
    for place, names in foreign.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        # An object whose key is the prefix itself, such as a manifest, has nothing left of its name.
        shown = ", ".join(name or "an object of this very name" for name in names[:_SHOWN])
        raise ForeignDataError(
            f"{place.address} has {shown}{more}, which 'headrace local run' did not put there and "
            "the job would read too; leave --data out to train on what is there, or remove it first"
        )


def _s3() -> Any:
    return boto3.client("s3")
