"""What of a job's output is kept, taken out of an archive that the job's program has made as it pleased."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, NamedTuple, cast

from headrace.archives import ArchiveError, open_archive, refuse_unsafe_member
from headrace.provenance import EVALUATION_FILE, INPUTS_FILE, LISTS_FOLDER, MOST_LIST_BYTES, PROFILE_FILE

MOST_MEMBERS: Final = 100_000
# What an archive may unpack to; all of it is read, and most of it passed over.
MOST_BYTES: Final = 8 * 2**30
# About two million files.
MOST_INPUT_BYTES: Final = 256 * 2**20
MOST_EVALUATION_BYTES: Final = 16 * 2**20
# Names of categories are as long as people make them.
MOST_PROFILE_BYTES: Final = 16 * 2**20
_MOST_IN_MEMORY: Final = 8 * 2**20
_CHUNK: Final = 2**20
_LIST: Final = re.compile(rf"{LISTS_FOLDER}/[A-Za-z0-9._-]{{1,64}}/[^\x00-\x1f\x7f\\]{{1,400}}")
_LIMITS: Final = {
    INPUTS_FILE: MOST_INPUT_BYTES,
    EVALUATION_FILE: MOST_EVALUATION_BYTES,
    PROFILE_FILE: MOST_PROFILE_BYTES,
}


class JobOutputError(Exception):
    """An output whose record cannot be kept."""


class KeptFile(NamedTuple):
    """A file of a job's record: its name there, and what is in it."""

    name: str
    content: BinaryIO


def read_output(archive: BinaryIO) -> Iterator[KeptFile]:
    """The files of the record in a job's `output.tar.gz`; each is closed before the next one is read.

    Raises:
        JobOutputError: If the archive is damaged or not only data, or what belongs to the record is too large.
    """
    room = MOST_LIST_BYTES
    try:
        with open_archive(archive) as tar:
            for member in _list_members(tar):
                name = str(PurePosixPath(member.name))
                limit = _LIMITS.get(name, room if _LIST.fullmatch(name) else None)
                if limit is None:
                    continue
                _check(member, name, limit)
                room -= member.size if name not in _LIMITS else 0
                with _read(tar, member) as content:
                    yield KeptFile(name, content)
    except ArchiveError as error:
        raise JobOutputError(f"output.tar.gz of the training job: {error}") from error


def _list_members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    total = 0
    for count, member in enumerate(tar, 1):
        if member.size < 0:
            raise ArchiveError(f'member "{member.name}" has a negative size')
        total += member.size
        if count > MOST_MEMBERS:
            raise ArchiveError(f"it has more than {MOST_MEMBERS} members")
        if total > MOST_BYTES:
            raise ArchiveError(f"it unpacks to more than {MOST_BYTES} bytes")
        # A tar file remembers every member that it has passed.
        tar.members.clear()  # type: ignore[attr-defined]
        yield member


def _check(member: tarfile.TarInfo, name: str, limit: int) -> None:
    refuse_unsafe_member(member)
    # A sparse file has a map by which it is read back and forth.
    if not member.isfile() or member.issparse():
        raise ArchiveError(f'member "{name}" is not a plain file')
    if member.size > limit:
        raise ArchiveError(f'member "{name}" has {member.size} bytes, more than {limit}')


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    """A member's content, apart from the archive: in memory if it is small."""
    source = tar.extractfile(member)
    assert source is not None  # noqa: S101 (it is a file)
    # The caller closes it.
    content = cast("BinaryIO", SpooledTemporaryFile(_MOST_IN_MEMORY))  # noqa: SIM115
    with source:
        while piece := source.read(_CHUNK):
            content.write(piece)
    content.seek(0)
    return content
