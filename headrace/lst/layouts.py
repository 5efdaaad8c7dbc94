"""What the label columns of a list hold.

One class, one number to predict, a column for each of several labels, or boxes: as MXNet's im2rec packs them with
`--pack-label`, a row has as many columns as its boxes need. A sample with two boxes of five numbers each after a
header of four, which starts with these two lengths:

    1	4	5	800	533	0	0.1	0.1	0.5	0.5	1	0.2	0.2	0.6	0.6	street/1.jpg

A box is its class, then left, top, right and bottom as fractions of the image
(https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/gluon/data/index.html, `image.ImageDetIter`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# MXNet's im2rec writes classes as 1.000000.
CLASS_PATTERN: Final = r"([0-9]{1,9})(\.0*)?"
# The largest number of 32 bits has 39 digits.
PLAIN_NUMBER_PATTERN: Final = r"-?[0-9]{1,40}(\.[0-9]*)?"
CLASS: Final = re.compile(CLASS_PATTERN)
PLAIN_NUMBER: Final = re.compile(PLAIN_NUMBER_PATTERN)
# As Python and pandas write small ones: 1e-05.
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_TOO_LARGE: Final = 1e40
# MXNet's readers take no header and no box that is shorter.
SHORTEST_HEADER, SHORTEST_BOX = 2, 5
# Behind its two lengths, a header that is so long has the image's width and height.
SIZED_HEADER: Final = 4
_TOLERANCE: Final = 1e-6


class ListKind(StrEnum):
    """What the labels of a list are."""

    CLASS = "class"
    NUMBER = "number"
    LABELS = "labels"
    BOXES = "boxes"


@dataclass(frozen=True)
class Layout:
    """The kind of a list's labels and the number of their columns; of boxes, whose rows differ, none."""

    kind: ListKind
    width: int

    @property
    def varies(self) -> bool:
        """Whether rows differ in their number of columns."""
        return self.kind is ListKind.BOXES

    def fits(self, other: "Layout") -> bool:
        """Whether rows of both may stand in one list; classes are numbers, too."""
        return (self.varies, self.width) == (other.varies, other.width)

    def __str__(self) -> str:
        return "boxes" if self.varies else f"{self.width} label columns"


ONE_CLASS: Final = Layout(ListKind.CLASS, 1)
ONE_NUMBER: Final = Layout(ListKind.NUMBER, 1)
BOXES: Final = Layout(ListKind.BOXES, 0)


def guess_layout(fields: Sequence[str]) -> Layout:
    """What a list's first row says of its labels.

    Example:
        >>> guess_layout(["0", "0.75", "a.jpg"]).kind
        <ListKind.NUMBER: 'number'>
    """
    labels = fields[1:-1]
    if measure_boxes(labels):
        return BOXES
    if len(labels) > 1:
        return Layout(ListKind.LABELS, len(labels))
    return ONE_NUMBER if labels and is_fraction(labels[0]) else ONE_CLASS


def is_fraction(label: str) -> bool:
    """Whether a label is a number and no class."""
    return is_number(label) and not CLASS.fullmatch(label.strip())


def is_number(label: str) -> bool:
    """Whether a label is a number that 32 bits can hold, however it is written."""
    return bool(_NUMBER.fullmatch(label.strip())) and abs(float(label)) < _TOO_LARGE


def measure_boxes(labels: Sequence[str]) -> tuple[int, int] | None:
    """The lengths of the header and of each box; None where a row is none of boxes."""
    lengths = [int(label.partition(".")[0]) for label in labels[:2] if CLASS.fullmatch(label.strip())]
    if len(lengths) < 2 or lengths[0] < SHORTEST_HEADER or lengths[1] < SHORTEST_BOX:
        return None
    header, box = lengths
    return (header, box) if len(labels) > header and (len(labels) - header) % box == 0 else None


def find_label_problems(labels: Sequence[str], layout: Layout) -> Iterator[str]:
    """What is wrong with the label columns of one row."""
    if layout.kind is ListKind.CLASS:
        yield from (
            f"class {label!r} is not a whole number from 0" for label in labels if not CLASS.fullmatch(label.strip())
        )
        return
    yield from (f"label {label!r} is not a number" for label in labels if not is_number(label))


def find_box_problems(labels: Sequence[str]) -> Iterator[str]:
    """What is wrong with the boxes of a row that is well formed."""
    lengths = measure_boxes(labels)
    if lengths is None:
        yield "has no complete box after its header; leave images without boxes out"
        return
    header, size = lengths
    for number, start in enumerate(range(header, len(labels), size), start=1):
        yield from (f"box {number} {text}" for text in _find_box_problems(labels[start : start + size]))


def _find_box_problems(box: Sequence[str]) -> Iterator[str]:
    if not CLASS.fullmatch(box[0].strip()):
        yield f"has class {box[0]!r}, expected a whole number from 0"
    left, top, right, bottom = map(float, box[1:SHORTEST_BOX])
    # Records may hold NaN, which is neither less nor more than any number.
    if not all(-_TOLERANCE <= side <= 1 + _TOLERANCE for side in (left, top, right, bottom)):
        yield f"reaches outside the image: {' '.join(box[1:SHORTEST_BOX])} are not fractions from 0 to 1"
    if left >= right or top >= bottom:
        yield f"is empty or inverted: left {left:g}, top {top:g}, right {right:g}, bottom {bottom:g}"
