"""What there is in a folder of this machine; links are followed, and what is not a file is listed with the reason."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headrace.data.entries import Entry

STAGING: Final = ".headrace-partial"
_SPECIAL: Final = {
    stat.S_IFIFO: "a named pipe, not a file",
    stat.S_IFSOCK: "a socket, not a file",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFBLK: "a device, not a file",
}
_Identity = tuple[int, int]


def list_files(folder: Path) -> Iterator[Entry]:
    """The files below a folder and below those it links to.

    Raises:
        OSError: If the folder itself cannot be read; one inside it is an entry with a problem.
    """
    pending: list[tuple[str, str, tuple[_Identity, ...]]] = [(str(folder), "", ())]
    while pending:
        place, prefix, above = pending.pop()
        found = _list_entries(place, prefix)
        yield from (entry for entry in found if entry.problem or not entry.is_folder)
        above = (*above, _identify(place))
        for entry in reversed([entry for entry in found if entry.is_folder and not entry.problem]):
            path = os.path.join(folder, entry.name[:-1])  # noqa: PTH118 (a Path for each of a million files is slow)
            if _identify(path) in above:
                yield Entry(entry.name, 0, 0, problem="a link to a folder that it is in")
            else:
                pending.append((path, entry.name, above))


def list_folder(folder: Path) -> list[Entry]:
    """The files and folders in a folder, in the order of their names."""
    return _list_entries(str(folder), "")


def describe_file(path: str | Path, name: str) -> Entry:
    """A file or a folder as an entry, or why it is neither."""
    try:
        status = os.stat(path)  # noqa: PTH116 (as above)
    except OSError as error:
        return Entry(name, 0, 0, problem=_explain(path, error))
    if stat.S_ISDIR(status.st_mode):
        return Entry(f"{name}/", 0, 0)
    problem = _SPECIAL.get(stat.S_IFMT(status.st_mode), "")
    if not problem and not os.access(path, os.R_OK):
        problem = "no permission to read it"
    return Entry(name, status.st_size, status.st_mtime_ns // 1_000_000, problem=problem)


def look_at_target(path: Path) -> os.stat_result | None:
    """The file that is at a target; None where there is none, or something that is only written through.

    Raises:
        OSError: If no file can be there, since a folder is, or a file has the name of one of its folders.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return status if stat.S_ISREG(status.st_mode) else None


def _list_entries(place: str, prefix: str) -> list[Entry]:
    try:
        names = sorted(name for name in os.listdir(place) if name != STAGING)  # noqa: PTH208 (as above)
    except OSError as error:
        if not prefix:
            raise
        return [Entry(prefix, 0, 0, problem=_explain(place, error))]
    return [describe_file(f"{place}/{name}", prefix + name) for name in names]


def _identify(path: str) -> _Identity:
    status = os.stat(path)  # noqa: PTH116 (as above)
    return status.st_dev, status.st_ino


def _explain(path: str | Path, error: OSError) -> str:
    if error.errno == errno.ENOENT and os.path.islink(path):  # noqa: PTH114 (as above)
        return f"a link to nothing ({os.readlink(path)})"  # noqa: PTH115 (as above)
    if error.errno == errno.ELOOP:
        return "a link that leads back to itself"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "no permission to read it"
    return error.strerror or str(error)
