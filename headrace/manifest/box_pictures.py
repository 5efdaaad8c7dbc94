"""A photograph with the boxes that its manifest has, and those that a detector has found, as SVG."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from headrace.errors import as_shown
from headrace.manifest.box_turns import Sides, is_counted_in_stored_pixels, turn_upright
from headrace.manifest.labels import Task, find_label_problems, is_class, is_number, read_image_size, read_label
from headrace.manifest.records import ManifestError, Record
from headrace.normalizer.normalize import measure, normalize
from headrace.normalizer.options import Colour, Options
from headrace.normalizer.orientation import Orientation

_LONGEST_SIDE: Final = 640
_SHOWN_LINES: Final = 3
_QUALITY: Final = 85
_LEGEND: Final = 30
_LEAST_WIDTH: Final = 260
# Of classes, scores and places in a photograph, which are parts of it.
_MOST: Final = 1e9
_NUMBERS: Final = 6
# Apart by dashes, too, for those who tell few colours apart.
_STYLE: Final = (
    'text{font-family:"Helvetica Neue",Arial,sans-serif;font-size:13px;fill:#16191f}.paper{fill:#fff}'
    ".box{fill:none;stroke-width:2}.under{stroke:#000;stroke-opacity:.5;stroke-width:4}"
    ".truth{stroke:#fff;stroke-dasharray:5 4}.found{stroke:#ffb000}.tag{fill:#ffb000}.score{font-size:11px}"
    "@media (prefers-color-scheme:dark){.legend{fill:#e9edf2}.paper{fill:#12161c}}"
)


class Shown(NamedTuple):
    """A box: what is written at it, and left, top, right and bottom as parts of the photograph upright."""

    text: str
    sides: Sides


def find_record(records: Iterable[Record], photograph: Path) -> Record:
    """The line about a photograph, which may stand for another one of the same name in another folder.

    Args:
        records: The lines.
        photograph: The file. Of the lines whose source has its name, that counts which also has most of its folders.

    Raises:
        ManifestError: If there is none, or several have as many.
    """
    path = photograph.absolute().parts[::-1]
    named = [record for record in records if PurePosixPath(record.source).name == photograph.name]
    shared = [_count_shared(path, PurePosixPath(record.source).parts[::-1]) for record in named]
    most = max(shared, default=0)
    found = [record for record, count in zip(named, shared, strict=True) if count == most]
    if len(found) == 1:
        return found[0]
    message = f"{len(found)} lines are about a photograph called {photograph.name}, expected one"
    if found:
        lines = ", ".join(f"line {record.line}: {record.source}" for record in found[:_SHOWN_LINES])
        lines += f", and {len(found) - _SHOWN_LINES} more" if len(found) > _SHOWN_LINES else ""
        one = len({record.source for record in found}) == 1
        mend = "merge them" if one else "put the file into folders named as in its source"
        message += f" ({lines}); {mend}"
    raise ManifestError(message)


def _count_shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts two paths share from their ends, which come first."""
    return sum(1 for _ in takewhile(lambda parts: parts[0] == parts[1], zip(one, other, strict=False)))


def draw_boxes(photograph: bytes, record: Record, attribute: str, answer: bytes | None, least_score: float) -> str:
    """The picture.

    Args:
        photograph: The file.
        record: Its line of the manifest.
        attribute: What the boxes are called there.
        answer: What an endpoint of object detection has answered to the photograph, if there is one.
        least_score: Boxes with a lower score are left out.

    Raises:
        ManifestError: If the line has no boxes that can be used, or the answer is not one.
        NormalizeError: If the photograph cannot be decoded.
    """
    stored, orientation = measure(photograph)
    upright = stored[::-1] if orientation.swaps_sides else stored
    factor = min(1.0, _LONGEST_SIDE / max(upright))
    width, height = (max(1, round(side * factor)) for side in upright)
    truth = list(_read_truth(record, attribute, stored, orientation))
    found = None if answer is None else list(_read_answer(answer, _name_classes(record, attribute), least_score))
    small = normalize(photograph, Options(width=width, height=height, colour=Colour.RGB, quality=_QUALITY))
    whole = max(width, _LEAST_WIDTH)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {height + _LEGEND}" width="{whole}" role="img" '
        f'aria-label="{escape(as_shown(PurePosixPath(record.source).name))} with boxes"><style>{_STYLE}</style>',
        f'<rect class="paper" width="{whole}" height="{height + _LEGEND}"/>',
        f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{base64.b64encode(small).decode()}"/>',
        *(part for box in truth for part in _draw_frame(box, "truth", width, height)),
        *(part for box in found or () for part in _draw_found(box, width, height)),
        *_draw_legend(height, len(truth), None if found is None else len(found)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _read_truth(record: Record, attribute: str, stored: tuple[int, int], orientation: Orientation) -> Iterator[Shown]:
    if attribute not in record.data:
        raise ManifestError(f"line {record.line}: there is no {attribute}; name the attribute that holds the boxes")
    for problem in find_label_problems(Task.OBJECT_DETECTION, record.data, attribute):
        raise ManifestError(f"line {record.line}: {problem}")
    size = read_image_size(record.data[attribute]) or stored
    is_stored = is_counted_in_stored_pixels(size, stored, orientation)
    names = _name_classes(record, attribute)
    for box in record.data[attribute]["annotations"]:
        name = names.get(box["class_id"], str(box["class_id"]))
        right, bottom = box["left"] + box["width"], box["top"] + box["height"]
        sides = (box["left"] / size[0], box["top"] / size[1], right / size[0], bottom / size[1])
        yield Shown(name, turn_upright(sides, orientation) if is_stored else sides)


def _name_classes(record: Record, attribute: str) -> Mapping[int, str]:
    names = read_label(record.data, attribute).metadata.get("class-map")
    known = names.items() if isinstance(names, dict) else ()
    return {int(number): str(name) for number, name in known if is_class(number)}


def _read_answer(answer: bytes, names: Mapping[int, str], least_score: float) -> Iterator[Shown]:
    """The boxes of an answer, the least sure first, so that surer ones are drawn over them."""
    try:
        rows: list[Any] = json.loads(answer)["prediction"]
        usable = all(len(row) == _NUMBERS and all(map(is_number, row)) and max(map(abs, row)) < _MOST for row in rows)
    except (ValueError, KeyError, TypeError, RecursionError):
        usable = False
    if not usable:
        raise ManifestError('the answer has no boxes; give what an endpoint answered, {"prediction": [[0.0, 0.9, …]]}')
    for label, score, left, top, right, bottom in sorted(rows, key=lambda row: float(row[1])):
        if score >= least_score:
            yield Shown(f"{names.get(int(label), f'class {label:g}')} {score:.2f}", (left, top, right, bottom))


def _draw_found(box: Shown, width: int, height: int) -> Iterator[str]:
    yield from _draw_frame(box, "found", width, height)
    length = 6 * len(box.text) + 4
    x = max(0.0, min(box.sides[0] * width - 1, width - length))
    y = max(14.0, box.sides[1] * height - 1)
    yield f'<rect class="tag" x="{x:.1f}" y="{y - 14:.1f}" width="{length}" height="14"/>'
    yield f'<text class="score" x="{x + 3:.1f}" y="{y - 3:.1f}">{escape(as_shown(box.text))}</text>'


def _draw_frame(box: Shown, style: str, width: int, height: int) -> Iterator[str]:
    left, top, right, bottom = box.sides
    place = (
        f'x="{left * width:.1f}" y="{top * height:.1f}" width="{(right - left) * width:.1f}" '
        f'height="{(bottom - top) * height:.1f}"'
    )
    yield f'<rect class="box under" {place}/>'
    yield f'<rect class="box {style}" {place}><title>{escape(as_shown(box.text))}</title></rect>'


def _draw_legend(top: int, truth: int, found: int | None) -> Iterator[str]:
    entries = [("truth", f"labelled: {truth}"), *([("found", f"found: {found}")] if found is not None else [])]
    for place, (style, text) in enumerate(entries):
        x = 8 + 130 * place
        yield f'<rect class="box under" x="{x}" y="{top + 9}" width="22" height="12"/>'
        yield f'<rect class="box {style}" x="{x}" y="{top + 9}" width="22" height="12"/>'
        yield f'<text class="legend" x="{x + 30}" y="{top + 20}">{text}</text>'
