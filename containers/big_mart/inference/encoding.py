"""Repeating the preprocessing job's encoding on raw rows; its file is described beside its writer there."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "headrace-encoding"
VERSION = 1
BLANKS = " \t\r\n"
LARGEST_NUMBER = float(np.finfo(np.float32).max)

# For each text column, what each of its distinct texts means.
Cleaned = Mapping[str, Mapping[str, str]]


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
    """A number column with the fill for unknown values, decided by another column if `fill_by` names one."""

    column: str
    fill_by: str | None
    fills: Mapping[str, float]
    otherwise: float
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class CategoryFeature:
    """A text column with its spellings, fills and the standardised number of each category."""

    column: str
    spellings: Mapping[str, str]
    fill_by: str | None
    fills: Mapping[str, str]
    codes: Mapping[str, float]
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

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The columns that are known to be empty at times, because another one decides what to fill in."""
        return tuple(feature.column for feature in self.features if feature.fill_by is not None)


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
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
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
            codes=standardise_numbers(document["categories"], float(document["mean"]), float(document["scale"])),
            mean=float(document["mean"]),
            scale=float(document["scale"]),
        )
    raise EncodingError(f"feature kind {document['kind']!r} is unknown")


def standardise_numbers(categories: Sequence[str], mean: float, scale: float) -> dict[str, float]:
    """The z-score of each category's number; a scale that is of no use as such is refused with the encoding."""
    return {name: (number - mean) / (scale or math.nan) for number, name in enumerate(categories)}


def check_encoding(encoding: Encoding) -> None:
    """Refuse an encoding that would fail, or mislead, on a later request."""
    for feature in encoding.features:
        if feature.column not in encoding.columns:
            raise EncodingError(f"feature {feature.column!r} is not one of the columns")
        if feature.fill_by is not None and feature.fill_by not in encoding.text_columns:
            raise EncodingError(f"feature {feature.column!r} is filled by {feature.fill_by!r}, which is not a category")
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
    columns = [
        encode_numbers(feature, table, cleaned)
        if isinstance(feature, NumericFeature)
        else encode_categories(feature, table, cleaned)
        for feature in encoding.features
    ]
    return np.ascontiguousarray(np.array(columns, dtype=np.float32).T)


def clean_texts(texts: Sequence[str], spellings: Mapping[str, str]) -> dict[str, str]:
    """Each distinct text without blanks around it, known spellings replaced."""
    stripped = {text: text.strip(BLANKS) for text in set(texts)}
    return {text: spellings.get(name.lower(), name) for text, name in stripped.items()}


def encode_numbers(feature: NumericFeature, table: Table, cleaned: Cleaned) -> list[float]:
    """A number column, filled and standardised."""
    values = table.numbers[feature.column]
    if any(map(math.isnan, values)):
        values = fill_numbers(feature, values, table, cleaned)
    mean, scale, largest = feature.mean, feature.scale, LARGEST_NUMBER
    scaled = [(value - mean) / scale for value in values]
    if -largest <= min(scaled) and max(scaled) <= largest:
        return scaled
    return [max(-largest, min(largest, value)) for value in scaled]


def fill_numbers(feature: NumericFeature, values: Sequence[float], table: Table, cleaned: Cleaned) -> list[float]:
    """The values with NaN replaced by the fill."""
    if feature.fill_by is None:
        return [feature.otherwise if math.isnan(value) else value for value in values]
    names = cleaned[feature.fill_by]
    fills = {text: feature.fills.get(name, feature.otherwise) for text, name in names.items()}
    by = table.texts[feature.fill_by]
    return [fills[text] if math.isnan(value) else value for value, text in zip(values, by, strict=True)]


def encode_categories(feature: CategoryFeature, table: Table, cleaned: Cleaned) -> list[float]:
    """A text column, filled, numbered and standardised; an unknown category is the mean, which says nothing."""
    names, texts = cleaned[feature.column], table.texts[feature.column]
    codes = {text: feature.codes.get(name, 0.0) for text, name in names.items()}
    if feature.fill_by is None or "" not in names.values():
        return [codes[text] for text in texts]
    by = cleaned[feature.fill_by]
    fills = {text: feature.codes.get(feature.fills.get(name, ""), 0.0) for text, name in by.items()}
    pairs = zip(texts, table.texts[feature.fill_by], strict=True)
    return [codes[text] if names[text] else fills[other] for text, other in pairs]
