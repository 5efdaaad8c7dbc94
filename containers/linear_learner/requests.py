"""Reading the rows of a request: CSV, JSON, JSON Lines or RecordIO-protobuf, without labels.

The forms of JSON are those of https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html:

    {"instances": [{"features": [1.5, 16.0]}, {"data": {"features": {"values": [1.5, 16.0]}}}]}
    {"instances": [{"data": {"features": {"keys": [26, 182], "shape": [784], "values": [0.5, 1.0]}}}]}

In JSON Lines each line is such an instance.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.serving.messages import number_lines
from containers.shared.tables.csv_rows import parse_csv
from containers.shared.tables.rows import BadRowsError, Features, parse_recordio

from . import contract

_SHOWN: Final = 100
_FORM: Final = 'send {"features": [1.5, 16.0]} for each'


def parse_rows(body: bytes, media_type: str, width: int) -> Features:
    """The rows of a body.

    Raises:
        BadRowsError: Naming the row, if they cannot be read or are not what the model knows.
    """
    if not body.strip():
        raise BadRowsError("the body is empty; send at least one row")
    rows = _READERS[media_type](body)
    if rows.shape[1] != width:
        raise BadRowsError(f"the rows have {rows.shape[1]} features, and the model knows {width}; send no label")
    values = rows.data if hasattr(rows, "tocsr") else rows
    finite = np.isfinite(values)
    if not finite.all():
        place = f"row {int(np.argmin(finite.all(axis=1))) + 1}" if finite.ndim > 1 else "a row"
        raise BadRowsError(f"{place}: a feature is missing or not finite; a linear model takes numbers only")
    return rows


def parse_json(body: bytes) -> NDArray[np.float32]:
    """The instances of an object."""
    document = _load(body, "the body")
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise BadRowsError('the body has no "instances"; send {"instances": [{"features": [1.5, 16.0]}]}')
    return _stack([_parse_instance(instance, f"instance {place}") for place, instance in enumerate(instances, 1)])


def parse_json_lines(body: bytes) -> NDArray[np.float32]:
    """The instances of lines."""
    return _stack([_parse_instance(_load(line, f"line {n}"), f"line {n}") for n, line in number_lines(body)])


def _load(text: bytes, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRowsError(f"{place}: not JSON: {str(error)[:_SHOWN]}") from error


def _parse_instance(instance: Any, place: str) -> NDArray[np.float32]:
    features = instance.get("data", instance) if isinstance(instance, dict) else None
    features = features.get("features") if isinstance(features, dict) else None
    sparse = features if isinstance(features, dict) else {"values": features}
    values = _parse_numbers(sparse.get("values"), place)
    if "keys" not in sparse:
        return values
    keys, shape = (_parse_numbers(sparse.get(name), place) for name in ("keys", "shape"))
    width = int(shape[0]) if len(shape) == 1 else 0
    fits = len(keys) == len(values) and (keys >= 0).all() and (keys < width).all() and (keys == keys.round()).all()
    if not fits or not 0 < width <= len(values) + contract.MOST_ABSENT:
        raise BadRowsError(f"{place}: keys, values and shape do not fit each other; give a value for each key")
    row = np.zeros(width, np.float32)
    row[keys.astype(np.intp)] = values
    return row


def _parse_numbers(found: Any, place: str) -> NDArray[np.float32]:
    is_numbers = isinstance(found, list) and all(type(value) in (int, float) for value in found)
    if not is_numbers:
        raise BadRowsError(f"{place}: found {json.dumps(found)[:_SHOWN]} instead of a list of numbers; {_FORM}")
    with np.errstate(over="ignore"):
        try:
            return np.array(found, np.float64).astype(np.float32)
        except OverflowError as error:
            raise BadRowsError(f"{place}: a number is too large") from error


def _stack(rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise BadRowsError(f"row {number}: {len(row)} features, but row 1 has {len(rows[0])}")
    return np.array(rows, np.float32)


_READERS: Final[Mapping[str, Callable[[bytes], Features]]] = {
    contract.CSV: parse_csv,
    contract.JSON: parse_json,
    contract.JSON_LINES: parse_json_lines,
    contract.RECORDIO: parse_recordio,
}
