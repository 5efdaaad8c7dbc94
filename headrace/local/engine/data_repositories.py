"""Data repository associations: a bucket's objects in a folder of an FSx file system, and changes there back in it.

FSx lists the objects at once and loads each when it is first opened. Here they appear, whole, when a job first mounts a
directory that shows them; changes on either side travel when a job mounts it and when that job ends.

What is known of each object is kept in a file beside the file systems, by the object's name below the association:

    {"images/a.jpg": {"etag": "9e10…", "stamp": [5120, 1795168800000000000]}, "b.jpg": {"etag": "77aa…", "stamp": null}}

The stamp is the size and time of the file when bucket and file were last the same; null while it is not loaded.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headrace.files import whole_file
from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.host import S3Client
from headrace.local.sagemaker.left_files import open_left_file
from headrace.local.sagemaker.s3_objects import (
    download_object,
    find_etag,
    list_etags,
    make_folder,
    place_key,
    upload_file,
)
from headrace.s3.addresses import S3Address

NEW, CHANGED, DELETED = "NEW", "CHANGED", "DELETED"
FOLDER_STAMP = (0, 0)

Stamp = tuple[int, int]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Policy:
    """Which events travel from the bucket to the file system, and which back."""

    imported: frozenset[str]
    exported: frozenset[str]

    @classmethod
    def parse(cls, properties: Mapping[str, Any]) -> "Policy":
        """The policy of an association's template properties; nothing travels unless it says so."""
        s3 = properties.get("S3", {})
        return cls(
            imported=frozenset(s3.get("AutoImportPolicy", {}).get("Events", [])),
            exported=frozenset(s3.get("AutoExportPolicy", {}).get("Events", [])),
        )


@dataclass(frozen=True)
class KnownObject:
    """What was last seen of an object; a hidden one was there before the association and was never imported."""

    etag: str
    stamp: Stamp | None = None
    hidden: bool = False


class DataRepository:
    """One association, kept up to date when a job mounts what it covers and when that job ends.

    Where bucket and file changed both, the bucket wins: an object that somebody else wrote is never overwritten.

    Args:
        folder: The association's folder in the file system.
        source: The prefix of objects that appear there.
        record: Where to keep what is known of them.
    """

    def __init__(self, *, s3: S3Client, folder: Path, source: S3Address, policy: Policy, record: Path) -> None:
        self.folder = folder
        self.source = source
        self.policy = policy
        self._s3 = s3
        self._record = record
        self._lock = threading.Lock()

    def take_inventory(self, *, import_all: bool) -> None:
        """Note what is in the bucket when the association is made: to be imported, or to be left out."""
        known = {name: KnownObject(etag, hidden=not import_all) for name, etag in self._list("").items()}
        make_folder(self.folder)
        self._write(known)

    def forget(self) -> None:
        """Remove what is known; files and objects stay."""
        self._record.unlink(missing_ok=True)

    def import_changes(self, directory: Path, check_stop: Callable[[], None]) -> None:
        """Load what the bucket has below a directory of the file system and the directory has not."""
        with self._lock:
            scope = self._find_scope(directory)
            if scope is None:
                return
            known = self._read()
            try:
                self._import(known, scope, check_stop)
            finally:
                self._write(known)

    def export_changes(self, directory: Path) -> None:
        """Store in the bucket what was changed below a directory of the file system."""
        with self._lock:
            scope = self._find_scope(directory)
            if scope is None or not self.policy.exported:
                return
            known = self._read()
            try:
                self._export_files(known, scope)
                self._export_deletions(known, scope)
            finally:
                self._write(known)

    def covers(self, directory: Path) -> bool:
        """Whether a directory shows any of the association's files."""
        return self._find_scope(directory) is not None

    def shares_objects(self, other: "DataRepository") -> bool:
        """Whether an object can belong to both."""
        one, two = self.source, other.source
        return one.bucket == two.bucket and (one.key.startswith(two.key) or two.key.startswith(one.key))

    def _find_scope(self, directory: Path) -> str | None:
        """The beginning of the names that a directory shows, or None when it shows none of them."""
        if self.folder.is_relative_to(directory):
            return ""
        return f"{directory.relative_to(self.folder).as_posix()}/" if directory.is_relative_to(self.folder) else None

    def _import(self, known: dict[str, KnownObject], scope: str, check_stop: Callable[[], None]) -> None:
        found = self._list(scope)
        for name, etag in found.items():
            check_stop()
            if self._is_to_load(known.get(name), etag):
                known[name] = KnownObject(etag, self._load(name))
        for name in [name for name in known if name.startswith(scope) and name not in found]:
            self._import_deletion(known, name)

    def _is_to_load(self, last: KnownObject | None, etag: str) -> bool:
        if last is None:
            return NEW in self.policy.imported
        if last.etag != etag and CHANGED in self.policy.imported:
            return True
        return not last.hidden and last.stamp is None

    def _load(self, name: str) -> Stamp | None:
        target = place_key(name, self.folder)
        if name.endswith("/"):
            self._refuse_outside(name, target)
            make_folder(target)
            return FOLDER_STAMP
        self._refuse_outside(name, target.parent)
        make_folder(target.parent)
        if target.is_dir():
            raise JobDataError(f"Data download failed: {self.source}{name} is both an object and a folder of objects.")
        scratch = self._record.with_suffix(".part")
        download_object(self._s3, self._locate(name), scratch)
        scratch.replace(target)
        return read_stamp(target)

    def _refuse_outside(self, name: str, folder: Path) -> None:
        """Raises JobDataError where a link that a job left would lead the object out of the file system."""
        if not self._is_inside(folder):
            raise JobDataError(
                f'Data download failed: a link in the file system leads "{name}" out of it. Please remove the link.'
            )

    def _is_inside(self, folder: Path) -> bool:
        return folder.resolve().is_relative_to(self.folder.resolve())

    def _import_deletion(self, known: dict[str, KnownObject], name: str) -> None:
        last = known[name]
        file = place_key(name, self.folder)
        if last.stamp is None:
            del known[name]
        elif DELETED in self.policy.imported:
            del known[name]
            # A file that was changed here meanwhile is somebody's work: it stays, as a new one.
            if read_stamp(file) == last.stamp and not file.is_dir() and self._is_inside(file.parent):
                file.unlink()

    def _export_files(self, known: dict[str, KnownObject], scope: str) -> None:
        for file in list_files(self.folder / scope):
            name = file.relative_to(self.folder).as_posix()
            last = known.get(name)
            stamp = read_stamp(file)
            is_new = last is None or last.hidden
            if (last is None or last.stamp != stamp) and (NEW if is_new else CHANGED) in self.policy.exported:
                self._export_file(known, name, stamp)

    def _export_file(self, known: dict[str, KnownObject], name: str, stamp: Stamp | None) -> None:
        location = self._locate(name)
        if not self._is_unchanged(known.get(name), location):
            logger.warning("export_refused object=%s reason=changed_in_bucket", location)
            return
        try:
            with open_left_file(self.folder, name) as content:
                upload_file(self._s3, content, location)
        except FileNotFoundError:
            # Somebody removed it since it was listed.
            return
        known[name] = KnownObject(find_etag(self._s3, location) or "", stamp)

    def _export_deletions(self, known: dict[str, KnownObject], scope: str) -> None:
        if DELETED not in self.policy.exported:
            return
        loaded = [(name, last) for name, last in known.items() if name.startswith(scope) and last.stamp]
        for name, last in loaded:
            location = self._locate(name)
            is_deleted = read_stamp(place_key(name, self.folder)) is None
            if is_deleted and self._is_unchanged(last, location):
                self._s3.delete_object(Bucket=location.bucket, Key=location.key)
                del known[name]

    def _is_unchanged(self, last: KnownObject | None, location: S3Address) -> bool:
        return find_etag(self._s3, location) == (last.etag if last else None)

    def _list(self, scope: str) -> dict[str, str]:
        """The ETags of the bucket's objects by name; the folder itself may be an object too, without a name."""
        etags = list_etags(self._s3, self._locate(scope))
        return {key.removeprefix(self.source.key): etag for key, etag in etags if key != self.source.key}

    def _locate(self, name: str) -> S3Address:
        return self.source.join(name)

    def _read(self) -> dict[str, KnownObject]:
        entries = json.loads(self._record.read_text(encoding="utf-8"))
        return {
            name: KnownObject(entry["etag"], _to_stamp(entry["stamp"]), entry["hidden"])
            for name, entry in entries.items()
        }

    def _write(self, known: Mapping[str, KnownObject]) -> None:
        entries = {name: asdict(entry) for name, entry in known.items()}
        with whole_file(self._record) as file:
            file.write_text(json.dumps(entries), encoding="utf-8")


def list_files(folder: Path) -> Iterator[Path]:
    """The files below a folder in order; links are not files: what they point to may be anywhere."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for path in (Path(parent, name) for name in sorted(names)):
            if path.is_file() and not path.is_symlink():
                yield path


def read_stamp(path: Path) -> Stamp | None:
    """What shows whether a file was written again; None when there is nothing."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FOLDER_STAMP if path.is_dir() else (found.st_size, found.st_mtime_ns)


def _to_stamp(value: list[int] | None) -> Stamp | None:
    return (value[0], value[1]) if value else None
