"""Augmented manifests, read and written a line at a time.

An augmented manifest is JSON Lines: one object per line with `source-ref`, the S3 URI of an image or text (or `source`,
the text itself), and labels. Ground Truth writes a label under the name of the labelling job and what it knows of the
label beside it under that name with `-metadata`. A sample, one line:

    {"source-ref":"s3://raw/street/1.jpg","box":{"image_size":[{"width":640,"height":480,"depth":3}],
     "annotations":[{"class_id":0,"left":12,"top":30,"width":200,"height":118}]},
     "box-metadata":{"class-map":{"0":"car"},"objects":[{"confidence":0.93}],"type":"groundtruth/object-detection",
     "human-annotated":"yes","creation-date":"2026-11-20T09:51:00","job-name":"labeling-job/cars"}}

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headrace.errors import HeadraceError
from headrace.files import whole_file
from headrace.inputs import naming_text, open_input, read_lines
from headrace.lst.problems import Problem

REFERENCE_SUFFIX = "-ref"
METADATA_SUFFIX = "-metadata"
SOURCE_REFERENCE = "source-ref"
SOURCES = (SOURCE_REFERENCE, "source")
FAILURE = "failure-reason"
# How JSON writes each half of a character beyond 16 bits.
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class ManifestError(HeadraceError):
    """A manifest, or what to make one of, that cannot be used; its message says where and why."""


@dataclass(frozen=True)
class Record:
    """One line of a manifest: its number, its text and what that says."""

    line: int
    text: str
    data: Mapping[str, Any]

    @property
    def source(self) -> str:
        """What the line is about: an S3 URI, a text, or failing these the line itself."""
        name = find_source(self.data)
        return self.text if name is None else str(self.data[name])


def read_manifest(path: Path) -> Iterator[Record]:
    """The lines of a manifest, in order; blank lines are none."""
    for record in scan_manifest(path):
        if isinstance(record, Problem):
            raise ManifestError(f"{path}, {record}")
        yield record


def scan_manifest(path: Path) -> Iterator[Record | Problem]:
    """The lines of a manifest; a problem for each that is not a JSON object."""
    with naming_text(path, ManifestError), open_input(path) as file:
        for number, raw in enumerate(read_lines(file), start=1):
            if raw.strip():
                yield parse_line(number, raw)


def parse_line(number: int, raw: bytes) -> Record | Problem:
    """What one line says."""
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        data = json.loads(text, parse_constant=_refuse_constant)
        if _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return Problem(
            number, f"{error.object[error.start]!r} is half of a surrogate pair; write both halves, or neither"
        )
    except UnicodeDecodeError:
        return Problem(number, "not UTF-8; save the file as UTF-8")
    except json.JSONDecodeError as error:
        return Problem(number, f"not JSON: {error.msg} at column {error.colno}; write one whole object on each line")
    except (ValueError, RecursionError) as error:
        return Problem(number, f"not JSON: {error}")
    if not isinstance(data, dict):
        return Problem(number, f'{name_kind(data)}, expected an object such as {{"source-ref": "s3://…"}}')
    return Record(number, text, data)


def write_manifest(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records as Ground Truth does, without spaces; the manifest appears whole or not at all."""
    write_lines(path, (format_record(record) for record in records))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines; they appear whole or not at all."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def format_record(record: Mapping[str, Any]) -> str:
    """A record as a line."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def find_source(data: Mapping[str, Any]) -> str | None:
    """The attribute that a line is about: `source-ref`, `source`, or as in some of AWS's own examples `image-ref`.

    Example:
        >>> find_source({"image-ref": "s3://raw/1.jpg", "class": [1, 0, 1]})
        'image-ref'
    """
    references = (name for name in data if name.endswith(REFERENCE_SUFFIX) and not has_metadata(data, name))
    return next((name for name in (*SOURCES, *references) if name in data), None)


def list_labels(data: Mapping[str, Any]) -> list[str]:
    """The label attributes of a record: those that have metadata, or else whatever is not a source."""
    described = [_name_described(data, name) for name in data if name.endswith(METADATA_SUFFIX)]
    return described or [name for name in data if name != find_source(data) and name not in SOURCES]


def find_label(data: Mapping[str, Any]) -> str | None:
    """The label attribute that is meant where none is named: the newest, as an adjustment is of an older label.

    A verdict on another label is not meant, unless there is nothing else.
    """
    names = list_labels(data)
    labels = [name for name in names if not is_verdict(data, name)] or names
    if not any(has_metadata(data, name) for name in labels):
        return next(iter(labels), None)
    return max(reversed(labels), key=lambda name: str(read_metadata(data, name).get("creation-date", "")))


def list_current_labels(data: Mapping[str, Any]) -> list[str]:
    """The label attributes that are still meant: where an adjustment job has gone over a label, its outcome only."""
    names = list_labels(data)
    adjusted = {read_type(data, name): place for place, name in enumerate(names) if _is_adjustment(data, name)}
    return [name for place, name in enumerate(names) if place >= adjusted.get(read_type(data, name), 0)]


def _is_adjustment(data: Mapping[str, Any], attribute: str) -> bool:
    return "adjustment-status" in read_metadata(data, attribute) or attribute.startswith("adjusted-")


def is_verdict(data: Mapping[str, Any], attribute: str) -> bool:
    """Whether a label says if another one is right: the outcome of a verification job."""
    return read_type(data, attribute) == "label-verification"


def read_type(data: Mapping[str, Any], attribute: str) -> str:
    """The type of job that metadata names, in one spelling; empty where it names none."""
    return str(read_metadata(data, attribute).get("type") or "").removeprefix("groundtruth/").replace("_", "-")


def name_metadata(data: Mapping[str, Any], attribute: str) -> str:
    """Where the metadata of a label stands: AWS's examples also leave out the `-ref` of a mask's name."""
    name = f"{attribute}{METADATA_SUFFIX}"
    short = f"{attribute.removesuffix(REFERENCE_SUFFIX)}{METADATA_SUFFIX}"
    return short if name not in data and attribute not in SOURCES and short in data else name


def has_metadata(data: Mapping[str, Any], attribute: str) -> bool:
    """Whether a record knows something of a label beside it."""
    return name_metadata(data, attribute) in data


def read_metadata(data: Mapping[str, Any], attribute: str) -> Mapping[str, Any]:
    """What a record knows of a label beside it."""
    metadata = data.get(name_metadata(data, attribute))
    return metadata if isinstance(metadata, dict) else {}


def _name_described(data: Mapping[str, Any], metadata_name: str) -> str:
    name = metadata_name.removesuffix(METADATA_SUFFIX)
    return f"{name}{REFERENCE_SUFFIX}" if name not in data and f"{name}{REFERENCE_SUFFIX}" in data else name


def freeze(value: Any) -> Any:
    """A JSON value as what can be hashed and compared."""
    if isinstance(value, Mapping):
        return frozenset((name, freeze(item)) for name, item in value.items())
    return tuple(freeze(item) for item in value) if isinstance(value, list) else value


def name_kind(value: object) -> str:
    """What JSON calls a value of this type."""
    if isinstance(value, bool):
        return "a boolean"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
