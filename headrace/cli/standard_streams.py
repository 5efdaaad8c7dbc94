"""Standard output and standard error of a program whose readers may leave and whose disk may be full."""

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STANDARD_OUTPUT = "standard output"
_ESCAPE = "headrace-escape"


class OutputClosedError(BaseException):
    """The reader of standard output has gone, as `head` does; unwinds like Ctrl-C: it is not an error of a file."""


class _StandardOutput(io.FileIO):
    """Standard output, which fails once and with its name; what comes after that is lost anyway."""

    _has_failed = False

    def write(self, content: "ReadableBuffer", /) -> int:
        if self._has_failed:
            return memoryview(content).nbytes
        try:
            return super().write(content)
        except BrokenPipeError:
            self._has_failed = True
            raise OutputClosedError from None
        except OSError as error:
            self._has_failed = True
            error.filename = STANDARD_OUTPUT
            raise


class _StandardError(io.FileIO):
    """Standard error: there is nowhere to say that it cannot be written to, and the exit code still counts."""

    def write(self, content: "ReadableBuffer", /) -> int:
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def guard_standard_streams() -> None:
    """Take the place of Python's own streams, also where the shell has closed them."""
    codecs.register_error(_ESCAPE, _escape)
    _open_if_closed(0, os.O_RDONLY)
    # What only can be read refuses what is written, so that a result that goes nowhere is an error.
    _open_if_closed(1, os.O_RDONLY)
    _open_if_closed(2, os.O_WRONLY)
    output, error = _StandardOutput(1, "w", closefd=False), _StandardError(2, "w", closefd=False)
    sys.stdout = _wrap(output, sys.stdout, by_line=output.isatty())
    sys.stderr = _wrap(error, sys.stderr, by_line=True)


def _open_if_closed(number: int, flags: int) -> None:
    """Occupy a closed standard descriptor, which the next file to be opened would become."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, flags)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def _wrap(raw: io.FileIO, former: TextIO | None, *, by_line: bool) -> TextIO:
    encoding = former.encoding if former else "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=_ESCAPE, line_buffering=by_line)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """File names that are not text come out as the bytes they are; other characters the terminal lacks, escaped."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)
