"""What goes wrong in a way that a user can mend, and how it is said."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ADVICE: Final = {
    errno.ENOSPC: "make room there or write elsewhere",
    errno.EDQUOT: "make room there or write elsewhere",
    errno.EFBIG: "the file size limit is reached; raise it (`ulimit -f`) or write elsewhere",
    errno.EROFS: "write elsewhere",
    errno.EACCES: "get the permission or choose another",
    errno.EPIPE: "the reader has closed it",
}


class HeadraceError(Exception):
    """The root of what a user can mend; the message says what is wrong, where, and what to do."""


def explain_os_error(error: OSError, place: object = None) -> str:
    """What the system refused, as one sentence.

    Args:
        error: The refusal.
        place: The file it is about, where the error itself does not know better.
    """
    reason = error.strerror or str(error) or type(error).__name__
    where = place or error.filename
    advice = _ADVICE.get(error.errno or 0)
    # An error with words of our own, such as an input's, has its advice in them.
    if advice and reason == os.strerror(error.errno or 0):
        reason = f"{reason}; {advice}"
    return f"{os.fsdecode(where) if isinstance(where, bytes) else where}: {reason}" if where else reason


@contextmanager
def naming(place: object, mistake: type[HeadraceError]) -> Iterator[None]:
    """Report what the system refuses as an error of ours, with the name that the user gave.

    Args:
        place: The file.
        mistake: The error to report it as.
    """
    try:
        yield
    except OSError as error:
        raise mistake(explain_os_error(error, place)) from error


def as_shown(name: object, *, keeps_bytes: bool = False) -> str:
    r"""A name as people can read it: on one line, without what would steer their terminal.

    Args:
        name: What is to be shown.
        keeps_bytes: Whether bytes of a file's name that are not text stay as they are, for programs.

    Example:
        >>> as_shown("cats\r/1.jpg")
        'cats\\r/1.jpg'
    """
    return "".join(
        sign
        if sign.isprintable() or (keeps_bytes and "\udc80" <= sign <= "\udcff")
        else sign.encode("unicode_escape").decode("ascii")
        for sign in str(name)
    )
