"""The encoding: how a raw row becomes features, fitted on the training part only.

Its file is data only, for the inference container to repeat exactly what was done here. A sample, shortened:

    {"format": "headrace-encoding", "version": 1,
     "columns": ["Item_Identifier", "Item_Weight", "Item_Fat_Content", "Outlet_Size", "..."],
     "target": "Item_Outlet_Sales",
     "features": [
       {"column": "Item_Weight", "kind": "numeric",
        "fill": {"by": "Item_Type", "values": {"Dairy": 13.42}, "otherwise": 12.86}, "mean": 12.87, "scale": 4.23},
       {"column": "Item_Fat_Content", "kind": "category", "spellings": {"lf": "Low Fat", "reg": "Regular"},
        "fill": null, "categories": ["Low Fat", "Regular"], "mean": 0.35, "scale": 0.48},
       {"column": "Outlet_Size", "kind": "category", "spellings": {},
        "fill": {"by": "Outlet_Type", "values": {"Grocery Store": "Small"}, "otherwise": null},
        "categories": ["High", "Medium", "Small"], "mean": 1.47, "scale": 0.68}]}

To encode a cell: strip blanks, tabs and line ends; replace a known spelling (compared in lower case); put the fill in
place of an empty cell, decided by the cleaned cell of the column `by`; a category becomes its index; then
`(value - mean) / scale` in float64, held within float32's range and rounded to it. A category that is missing or
unknown becomes 0.0, the mean.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from . import schema
from .sales import LARGEST_NUMBER, CategoryColumn, Numbers, Sales, choose_code_type

FORMAT = "headrace-encoding"
VERSION = 1
BLANKS = " \t\r\n"

Features = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class MeanFill:
    """The number that replaces an empty cell: the mean of the row's group, or the overall mean."""

    by: str | None
    values: Mapping[str, float]
    otherwise: float


@dataclass(frozen=True, kw_only=True)
class RuleFill:
    """The category that replaces an empty cell, decided by another column; none where the rule knows nothing."""

    by: str
    values: Mapping[str, str]
    otherwise: None = None


@dataclass(frozen=True, kw_only=True)
class NumericFeature:
    """A number column: filled, then standardised."""

    column: str
    kind: Literal["numeric"] = "numeric"
    fill: MeanFill
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class CategoryFeature:
    """A text column: cleaned, filled, numbered by its sorted categories, then standardised."""

    column: str
    kind: Literal["category"] = "category"
    spellings: Mapping[str, str]
    fill: RuleFill | None
    categories: tuple[str, ...]
    mean: float
    scale: float


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Everything that was learnt from the training part."""

    columns: tuple[str, ...]
    features: tuple[NumericFeature | CategoryFeature, ...]


def dump_encoding(encoding: Encoding) -> str:
    """The encoding's file, described at the head of this module."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "columns": encoding.columns,
        "target": schema.TARGET,
        "features": [asdict(feature) for feature in encoding.features],
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def encode_sales(encoding: Encoding, sales: Sales) -> Features:
    """The features of every row, in the encoding's order."""
    cleaned = clean_categories(sales)
    return {feature.column: encode_column(feature, sales, cleaned) for feature in encoding.features}


def encode_column(
    feature: NumericFeature | CategoryFeature, sales: Sales, cleaned: Mapping[str, CategoryColumn]
) -> NDArray[np.float32]:
    """One feature of every row."""
    if isinstance(feature, NumericFeature):
        return standardise(fill_numbers(sales.numbers[feature.column], feature.fill, cleaned), feature)
    filled = fill_categories(cleaned[feature.column], feature.fill, cleaned)
    numbers = {name: float(index) for index, name in enumerate(feature.categories)}
    # The code of a missing name, -1, is the table's last entry.
    table = np.array([*(numbers.get(name, np.nan) for name in filled.names), np.nan], dtype=np.float64)
    return standardise(table, feature)[filled.codes]


def standardise(values: Numbers, feature: NumericFeature | CategoryFeature) -> NDArray[np.float32]:
    """The values as a feature has them; one that is not known becomes the mean."""
    standardised = np.clip((values - feature.mean) / feature.scale, -LARGEST_NUMBER, LARGEST_NUMBER)
    return np.where(np.isnan(standardised), 0.0, standardised).astype(np.float32)


def clean_categories(sales: Sales) -> dict[str, CategoryColumn]:
    """Every text column with stripped names and one spelling each."""
    return {
        column: CategoryColumn(raw.codes, clean_names(raw.names, schema.SPELLINGS.get(column, {})))
        for column, raw in sales.categories.items()
    }


def clean_names(names: Iterable[str], spellings: Mapping[str, str]) -> tuple[str, ...]:
    """Names without blanks around them, known spellings replaced."""
    stripped = (name.strip(BLANKS) for name in names)
    return tuple(spellings.get(name.lower(), name) for name in stripped)


def fill_numbers(values: Numbers, fill: MeanFill, categories: Mapping[str, CategoryColumn]) -> Numbers:
    """The values with NaN replaced by the fill."""
    if fill.by is None:
        return np.where(np.isnan(values), fill.otherwise, values)
    by = categories[fill.by]
    means = {name: fill.values.get(name, fill.otherwise) for name in by.names}
    return np.where(np.isnan(values), look_up(by, means, missing=fill.otherwise), values)


def fill_categories(
    column: CategoryColumn, fill: RuleFill | None, categories: Mapping[str, CategoryColumn]
) -> CategoryColumn:
    """The column with missing categories replaced by the fill's."""
    if fill is None:
        return column
    names = (*column.names, *sorted(set(fill.values.values())))
    by = categories[fill.by]
    fills = {name: names.index(fill.values[name]) if name in fill.values else -1 for name in by.names}
    named = look_up(column, {name: float(name != "") for name in column.names}, missing=0.0) > 0
    table = np.array([*(fills[name] for name in by.names), -1], choose_code_type(len(names)))
    return CategoryColumn(np.where(named, column.codes, table[by.codes]), names)


def look_up(column: CategoryColumn, values: Mapping[str, float], *, missing: float) -> Numbers:
    """Each row's value by its name."""
    # The code of a missing name, -1, is the table's last entry.
    table = np.array([*(values[name] for name in column.names), missing], dtype=np.float64)
    return table[column.codes]
