"""What somebody adds to the project, as a drill does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.drills.checkout import Checkout


@dataclass(frozen=True, kw_only=True)
class Addition:
    """Something that is added, all that changes for it, and what has to hold then.

    Args:
        name: What it is.
        add: Adds it to a checkout.
        touches: The files that are new or changed then; for one with a slash at its end, whatever is in that folder.
        added_lines: How many lines an existing file gets, where the documentation promises that.
        tests: The tests that hold for whatever there is of its kind, as pytest names them.
        own_tests: Tests of what is added, as somebody would write them beside it: their text, by file.
    """

    name: str
    add: Callable[[Checkout], object]
    touches: frozenset[str]
    added_lines: Mapping[str, int] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    own_tests: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def find_place(self, file: str) -> str:
        """The folder that may be touched, of a file in it; else the file."""
        return next((place for place in self.touches if place.endswith("/") and file.startswith(place)), file)
