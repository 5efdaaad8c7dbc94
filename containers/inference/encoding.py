"""Repeating the preprocessing job's encoding on raw rows; its file is described beside its writer there."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "millrace-encoding"
VERSION = 1
BLANKS = " \t\r\n"
LARGEST_NUMBER = float(np.finfo(np.float32).max)


class EncodingError(Exception):
    """An encoding file that this program cannot repeat."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Raw rows by column: numbers with NaN and texts with "" where nothing is known."""

    rows: int
    numbers: Mapping[str, Sequence[float]]
    texts: Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class NumericFeature:
    """A number column with the fill for unknown values, told by another column if `fill_by` names one."""

    column: str
    fill_by: str | None
    fills: Mapping[str, float]
    otherwise: float
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class CategoryFeature:
    """A text column with its spellings, fills and the number of each category."""

    column: str
    spellings: Mapping[str, str]
    fill_by: str | None
    fills: Mapping[str, str]
    numbers: Mapping[str, float]
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The fitted encoding: the raw columns it knows and the features it makes, both in order."""

    columns: tuple[str, ...]
    target: str
    features: tuple[NumericFeature | CategoryFeature, ...]

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns that hold numbers."""
        return tuple(feature.column for feature in self.features if isinstance(feature, NumericFeature))

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that hold categories."""
        return tuple(feature.column for feature in self.features if isinstance(feature, CategoryFeature))


def parse_encoding(content: bytes) -> Encoding:
    """The encoding in a file's bytes, or an error that says why it is not ours."""
    try:
        document = json.loads(content)
        found = (document["format"], document["version"])
        if found != (FORMAT, VERSION):
            raise EncodingError(f"format {found[0]!r} version {found[1]!r}, but {FORMAT!r} version {VERSION} is read")
        encoding = Encoding(
            columns=tuple(document["columns"]),
            target=document["target"],
            features=tuple(parse_feature(feature) for feature in document["features"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncodingError(f"not an encoding: {error!r}") from error
    check_encoding(encoding)
    return encoding


def parse_feature(document: Mapping[str, Any]) -> NumericFeature | CategoryFeature:
    """One feature of the file."""
    fill = document["fill"] or {"by": None, "values": {}}
    if document["kind"] == "numeric":
        return NumericFeature(
            column=document["column"],
            fill_by=fill["by"],
            fills={name: float(value) for name, value in fill["values"].items()},
            otherwise=float(fill["otherwise"]),
            mean=float(document["mean"]),
            scale=float(document["scale"]),
        )
    if document["kind"] == "category":
        return CategoryFeature(
            column=document["column"],
            spellings=dict(document["spellings"]),
            fill_by=fill["by"],
            fills=dict(fill["values"]),
            numbers={name: float(number) for number, name in enumerate(document["categories"])},
            mean=float(document["mean"]),
            scale=float(document["scale"]),
        )
    raise EncodingError(f"feature kind {document['kind']!r} is unknown")


def check_encoding(encoding: Encoding) -> None:
    """Refuse an encoding that would fail, or mislead, on a later request."""
    for feature in encoding.features:
        if feature.column not in encoding.columns:
            raise EncodingError(f"feature {feature.column!r} is not one of the columns")
        if feature.fill_by is not None and feature.fill_by not in encoding.text_columns:
            raise EncodingError(f"feature {feature.column!r} is filled by {feature.fill_by!r}, which is no category")
        if not (math.isfinite(feature.mean) and math.isfinite(feature.scale) and feature.scale > 0):
            raise EncodingError(f"feature {feature.column!r} has mean {feature.mean} and scale {feature.scale}")


def encode_table(encoding: Encoding, table: Table) -> NDArray[np.float32]:
    """The features of every row, in the model's order."""
    cleaned = {
        feature.column: clean_texts(table.texts[feature.column], feature.spellings)
        for feature in encoding.features
        if isinstance(feature, CategoryFeature)
    }
    # Lists, because most requests have one row, for which every array operation costs more than the arithmetic.
    columns = [standardise(feature, find_values(feature, table, cleaned)) for feature in encoding.features]
    return np.ascontiguousarray(np.array(columns, dtype=np.float32).T)


def find_values(
    feature: NumericFeature | CategoryFeature, table: Table, cleaned: Mapping[str, Sequence[str]]
) -> Sequence[float]:
    """A feature's number in every row, before it is standardised."""
    if isinstance(feature, NumericFeature):
        return fill_numbers(feature, table.numbers[feature.column], cleaned)
    return number_categories(feature, cleaned)


def standardise(feature: NumericFeature | CategoryFeature, values: Sequence[float]) -> list[float]:
    """Z-scores that float32 can hold; an unknown value is the training mean, which says nothing either way."""
    mean, scale, largest = feature.mean, feature.scale, LARGEST_NUMBER
    return [
        0.0 if math.isnan(value) else max(-largest, min(largest, (value - mean) / scale)) for value in values
    ]


def clean_texts(texts: Sequence[str], spellings: Mapping[str, str]) -> list[str]:
    """Texts without blanks around them, known spellings replaced."""
    distinct = {text: text.strip(BLANKS) for text in set(texts)}
    table = {text: spellings.get(stripped.lower(), stripped) for text, stripped in distinct.items()}
    return [table[text] for text in texts]


def fill_numbers(
    feature: NumericFeature, values: Sequence[float], cleaned: Mapping[str, Sequence[str]]
) -> Sequence[float]:
    """The values with the fill in place of NaN."""
    if not any(map(math.isnan, values)):
        return values
    if feature.fill_by is None:
        return [feature.otherwise if math.isnan(value) else value for value in values]
    return [
        feature.fills.get(name, feature.otherwise) if math.isnan(value) else value
        for value, name in zip(values, cleaned[feature.fill_by], strict=True)
    ]


def number_categories(feature: CategoryFeature, cleaned: Mapping[str, Sequence[str]]) -> list[float]:
    """The number of each row's category, filled where it is missing; NaN where it is unknown."""
    names = cleaned[feature.column]
    if feature.fill_by is not None and "" in names:
        by = cleaned[feature.fill_by]
        names = [name or feature.fills.get(other, "") for name, other in zip(names, by, strict=True)]
    return [feature.numbers.get(name, math.nan) for name in names]
