"""Which names are wanted: the AWS CLI's --include and --exclude."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Pattern:
    """Names to take or to leave out, such as `*.jpg`; `*` matches slashes too.

    Args:
        text: What names are compared with.
        takes: Whether they are taken.
    """

    text: str
    takes: bool

    def matches(self, name: str) -> bool:
        """Whether it is about a name."""
        return fnmatchcase(name, self.text)


class Patterns:
    """Patterns in their order: the last one that is about a name decides; a name of none is taken.

    Example:
        >>> wanted = Patterns([Pattern("*", takes=False), Pattern("*.jpg", takes=True)])
        >>> [name for name in ("cats/1.jpg", "notes.txt") if wanted.takes(name)]
        ['cats/1.jpg']
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._patterns: Sequence[Pattern] = tuple(reversed(list(patterns)))

    def takes(self, name: str) -> bool:
        """Whether a name is wanted."""
        return next((pattern.takes for pattern in self._patterns if pattern.matches(name)), True)
