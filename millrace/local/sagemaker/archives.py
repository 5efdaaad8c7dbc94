"""Model and output archives: packed from a folder, unpacked with suspicion."""

import gzip
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


class ArchiveError(Exception):
    """An archive that is damaged, too large or holds what an archive of data must not."""


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """The most an archive may unpack to."""

    members: int = 10_000
    total_bytes: int = 20 * 1024**3


def pack_folder(folder: Path, archive: Path) -> None:
    """Writes a folder's content, without the folder itself, as a tar.gz."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for entry in sorted(folder.iterdir()):
            tar.add(entry, arcname=entry.name, filter=forget_owner)


def forget_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member as root's, so that archives do not tell who ran the job."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpack_archive(archive: Path, target: Path, limits: ArchiveLimits | None = None) -> None:
    """Unpacks the plain files and folders of a tar.gz; anything else in it raises ArchiveError."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            extract_members(tar, target, limits or ArchiveLimits())
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArchiveError(f"it is not a readable tar.gz archive: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError("it holds a file and a folder of the same name") from error


def extract_members(tar: tarfile.TarFile, target: Path, limits: ArchiveLimits) -> None:
    """Extracts member by member, so that limits end the work before the disk is full."""
    total_bytes = 0
    for count, member in enumerate(tar, 1):
        refuse_unsafe_member(member)
        total_bytes += member.size
        if count > limits.members:
            raise ArchiveError(f"it has more than {limits.members} members")
        if total_bytes > limits.total_bytes:
            raise ArchiveError(f"it unpacks to more than {limits.total_bytes} bytes")
        tar.extract(member, target, filter="data")


def refuse_unsafe_member(member: tarfile.TarInfo) -> None:
    """Raises ArchiveError for links, devices and names that lead elsewhere."""
    if not (member.isfile() or member.isdir()):
        raise ArchiveError(f'member "{member.name}" is neither a file nor a folder')
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ArchiveError(f'member "{member.name}" leads out of the folder')
