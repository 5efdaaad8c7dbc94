"""Model and output archives: packed from a folder, unpacked with suspicion."""

import errno
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.archives import ArchiveError, open_archive, refuse_unsafe_member
from headrace.local.sagemaker.left_files import LeftEntry
from headrace.local.sagemaker.merged_folders import Results


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """The most an archive may unpack to."""

    members: int = 10_000
    total_bytes: int = 20 * 1024**3


def pack_folder(folder: Results, entries: Sequence[LeftEntry], archive: Path) -> None:
    """Writes what a program left in a folder, without the folder itself, as a tar.gz."""
    # Two names of one file are two files: a link in the archive would be refused when it is unpacked.
    with tarfile.open(archive, "w:gz", compresslevel=6, dereference=True) as tar:
        for entry in entries:
            if entry.is_folder:
                tar.addfile(describe_folder(entry.name))
            else:
                with folder.open(entry) as file:
                    tar.addfile(forget_owner(tar.gettarinfo(arcname=entry.name, fileobj=file)), file)


def describe_folder(name: str) -> tarfile.TarInfo:
    """A folder as a member of an archive."""
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member


def forget_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member as root's, so that archives do not show who ran the job."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpack_archive(archive: Path, target: Path, limits: ArchiveLimits | None = None) -> None:
    """Unpacks the plain files and folders of a tar.gz; anything else in it raises ArchiveError."""
    try:
        with archive.open("rb") as content, open_archive(content) as tar:
            extract_members(tar, target, limits or ArchiveLimits())
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError("it holds a file and a folder of the same name") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ArchiveError("it holds a name that is too long") from error


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
        extract_member(tar, member, target)


def extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Writes one file or folder with this process's own rights, whatever the archive says.

    By hand, because TarFile's extraction filters came with a later release of Python 3.11 than Debian 12 has.
    """
    path = target / member.name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None  # noqa: S101 (it is a file)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
