"""Which failures are of one file, and which are of everything that would follow."""

import errno
from typing import Final

from headrace.data.entries import Entry
from headrace.data.errors import BlockedError, DataError, MissingObjectError
from headrace.data.workers import Done, FileOutcome
from headrace.errors import explain_os_error

# The disk, the device or this process, not the file, is at its end.
_ENDING: Final = frozenset(
    {errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EROFS, errno.ESTALE}
)
_REASONS: Final = {
    errno.EISDIR: "a folder has its name",
    errno.ENAMETOOLONG: "its name is too long for a file",
    errno.EEXIST: "a file has the name of one of its folders",
    errno.ENOTDIR: "a file has the name of one of its folders",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
}


def conclude(entry: Entry, error: Exception) -> Done:
    """What is said of a file left out for its own error; errors that all files would meet are raised."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(error, BlockedError) or (isinstance(cause, OSError) and cause.errno in _ENDING):
        raise error
    outcome = FileOutcome.MISSING if isinstance(error, MissingObjectError) else FileOutcome.SKIPPED
    return Done(entry.name, entry.size, outcome, error)


def shorten_reason(error: Exception, subjects: tuple[object, ...]) -> str:
    """Why a file was left out, without the addresses that stand beside the reason anyway."""
    if not isinstance(error, DataError) and isinstance(error, OSError):
        return _REASONS.get(error.errno or 0) or explain_os_error(error)
    text = str(error)
    for subject in subjects:
        text = text.removeprefix(f"{subject}: ")
    return text
