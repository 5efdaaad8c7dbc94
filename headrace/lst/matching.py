"""What two lists have in common, left out before they are compared.

Versions of a list mostly have the same lines in the same order. So they are read side by side, and only where they part
are lines looked at one by one. A line is left out as often as both lists have it, wherever they have it.
"""

from collections import Counter
from pathlib import Path
from typing import BinaryIO, Final

WINDOW_BYTES: Final = 1 << 20
# How far ahead a line is looked for behind what was put in or taken out; no line of a list is as long.
AHEAD_BYTES: Final = 1 << 18
# Lists with more of their lines apart than this have no order in common, and to compare them this way would take long.
MOST_APART: Final = 0.25
LEAST_LINES: Final = 10_000
_FIRST_STEP: Final = 256


class _NoCommonOrderError(Exception):
    """Lists that are to be compared another way."""


def find_unmatched(before: Path, after: Path) -> tuple[list[bytes], list[bytes]] | None:
    """The lines of each file, without their ends, that the other has not; none of files with no order in common.

    Args:
        before: A regular file.
        after: Another.
    """
    with before.open("rb") as first, after.open("rb") as second:
        try:
            return _Comparison(_Window(first), _Window(second)).run()
        except _NoCommonOrderError:
            return None


class _Window:
    """A part of a file of lines; what is before its position has been taken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_last = False
        self.content = b""
        self.position = 0

    @property
    def size(self) -> int:
        """How many bytes are at hand."""
        return len(self.content) - self.position

    def fill(self) -> None:
        """Have more at hand than is looked ahead, or all that is left, of which the last line has an end, too."""
        while self.size < 2 * AHEAD_BYTES and not self._is_last:
            more = self._file.read(WINDOW_BYTES)
            self._is_last = not more
            self.content = self.content[self.position :] + more
            self.position = 0
            if self._is_last and self.content and not self.content.endswith(b"\n"):
                self.content += b"\n"

    def peek_lines(self, count: int) -> list[bytes]:
        """The next lines, fewer where the file ends."""
        lines, start = list[bytes](), self.position
        while len(lines) < count and start < len(self.content):
            end = self.content.find(b"\n", start)
            if end < 0:
                raise _NoCommonOrderError
            lines.append(self.content[start:end])
            start = end + 1
        return lines

    def find_line(self, line: bytes) -> int | None:
        """How many bytes ahead a line begins that is not the next one; none of one that is not near."""
        found = self.content.find(b"\n" + line + b"\n", self.position, self.position + AHEAD_BYTES)
        return None if found < 0 else found + 1 - self.position

    def take_lines(self, size: int) -> list[bytes]:
        """The lines that end within the next bytes, of which there is at least one."""
        end = self.content.rfind(b"\n", self.position, self.position + size)
        if end < 0:
            raise _NoCommonOrderError
        lines = self.content[self.position : end].split(b"\n")
        self.position = end + 1
        return lines


class _Comparison:
    def __init__(self, before: _Window, after: _Window) -> None:
        self._before, self._after = before, after
        self._only_before, self._only_after = Counter[bytes](), Counter[bytes]()
        self._lines = self._apart = 0

    def run(self) -> tuple[list[bytes], list[bytes]]:
        while self._fill():
            if self._skip_common() and self._fill():
                self._part()
        while self._before.size or self._after.size:
            for window in (self._before, self._after):
                if window.size:
                    self._keep(window, window.size)
            self._fill()
        return list(self._only_before.elements()), list(self._only_after.elements())

    def _fill(self) -> bool:
        """Whether both lists go on."""
        self._before.fill()
        self._after.fill()
        return bool(self._before.size and self._after.size)

    def _skip_common(self) -> bool:
        """Go on to the line in which the lists part; whether it is at hand."""
        before, after = self._before, self._after
        most = min(before.size, after.size)
        common = _count_common(before, after, most)
        end = before.content.rfind(b"\n", before.position, before.position + common) + 1
        skipped = max(0, end - before.position)
        self._lines += before.content.count(b"\n", before.position, before.position + skipped)
        before.position += skipped
        after.position += skipped
        return common < most or not skipped

    def _part(self) -> None:
        """Take the lines in which the lists part, up to where they may go on together."""
        before, after = self._before.peek_lines(2), self._after.peek_lines(2)
        taken_out = put_in = None
        if before[1:] != after[1:]:
            put_in, taken_out = self._after.find_line(before[0]), self._before.find_line(after[0])
        if put_in is not None and (taken_out is None or put_in <= taken_out):
            self._keep(self._after, put_in)
        elif taken_out is not None:
            self._keep(self._before, taken_out)
        else:
            self._keep(self._before, len(before[0]) + 1)
            self._keep(self._after, len(after[0]) + 1)

    def _keep(self, window: _Window, size: int) -> None:
        """Take lines that the other list has not here; it may have them elsewhere."""
        own, other = self._only_before, self._only_after
        if window is self._after:
            own, other = other, own
        for line in window.take_lines(size):
            self._lines += 1
            self._apart += 1
            if other[line] > 0:
                other[line] -= 1
            else:
                own[line] += 1
        if self._apart > max(LEAST_LINES, MOST_APART * self._lines):
            raise _NoCommonOrderError


def _count_common(first: _Window, second: _Window, most: int) -> int:
    """How many bytes are the same in both: found in steps that grow, and then halved where they were too large."""
    common, step, is_growing = 0, _FIRST_STEP, True
    while step and common < most:
        step = min(step, most - common)
        start, end = first.position + common, second.position + common
        if first.content[start : start + step] == second.content[end : end + step]:
            common += step
            step = step * 2 if is_growing else step // 2
        else:
            is_growing = False
            step //= 2
    return common
