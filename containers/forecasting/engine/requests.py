"""Reading the series of a request's body, with errors that name the instance and the key."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import contract
from .instances import Instance, InstanceError, load_instance, parse_instance, show

_MOST_SAMPLES = 10_000


class UnreadableRequestError(Exception):
    """A body that cannot be read; its message names the instance, counted from 0 as JSON does, and the key."""


class TooManyError(UnreadableRequestError):
    """A body with more series than are answered at a time."""


@dataclass(frozen=True)
class Request:
    """What is asked: series, and which quantiles; all that the model has where none are named."""

    instances: tuple[Instance, ...]
    quantiles: tuple[float, ...] = ()


def parse_json(body: bytes) -> Request:
    """A request in DeepAR's JSON form."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableRequestError(f"not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get(contract.INSTANCES), list):
        raise UnreadableRequestError(f'expected {{"{contract.INSTANCES}": […]}}, found {show(document)}')
    if unknown := sorted(document.keys() - {contract.INSTANCES, contract.CONFIGURATION}):
        known = f"{contract.INSTANCES} and {contract.CONFIGURATION}"
        raise UnreadableRequestError(f"unknown key {show(unknown[0])}; known are {known}")
    quantiles = _parse_configuration(document.get(contract.CONFIGURATION) or {})
    instances = document[contract.INSTANCES]
    _check_count(len(instances))
    return Request(tuple(_parse(place, instance) for place, instance in enumerate(instances)), quantiles)


def parse_json_lines(body: bytes) -> Request:
    """A series on each line, as batch transform sends them."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    _check_count(len(lines))
    return Request(tuple(_load(place, line) for place, line in enumerate(lines)))


def _check_count(count: int) -> None:
    if not count:
        raise UnreadableRequestError("there are no instances; send at least one series")
    if count > contract.MAX_INSTANCES:
        raise TooManyError(f"{count} instances are more than {contract.MAX_INSTANCES}; send fewer at a time")


def _parse(place: int, document: object) -> Instance:
    try:
        return parse_instance(document)
    except InstanceError as error:
        raise UnreadableRequestError(f"instance {place}: {error}") from error


def _load(place: int, line: bytes) -> Instance:
    try:
        return load_instance(line)
    except InstanceError as error:
        raise UnreadableRequestError(f"instance {place}: {error}") from error


def _parse_configuration(document: object) -> tuple[float, ...]:
    """The quantiles that are asked for."""
    if not isinstance(document, dict):
        raise UnreadableRequestError(f"{contract.CONFIGURATION}: expected an object, found {show(document)}")
    known = (contract.NUM_SAMPLES, contract.OUTPUT_TYPES, contract.QUANTILES)
    if unknown := sorted(document.keys() - set(known)):
        raise UnreadableRequestError(
            f"{contract.CONFIGURATION}: unknown key {show(unknown[0])}; known are {', '.join(known)}"
        )
    samples = document.get(contract.NUM_SAMPLES, 1)
    if isinstance(samples, bool) or not isinstance(samples, int) or not 1 <= samples <= _MOST_SAMPLES:
        raise UnreadableRequestError(
            f"{contract.CONFIGURATION}.{contract.NUM_SAMPLES}: expected a whole number from 1 to {_MOST_SAMPLES}, "
            f"found {show(samples)}"
        )
    types = document.get(contract.OUTPUT_TYPES, [contract.QUANTILES])
    if types != [contract.QUANTILES]:
        raise UnreadableRequestError(
            f'{contract.CONFIGURATION}.{contract.OUTPUT_TYPES}: this engine answers ["{contract.QUANTILES}"] alone, '
            f"found {show(types)}; take quantile 0.5 for the middle"
        )
    return _parse_quantiles(document)


def _parse_quantiles(document: Mapping[str, Any]) -> tuple[float, ...]:
    given = document.get(contract.QUANTILES, [])
    try:
        return tuple(float(quantile) for quantile in given)
    except (TypeError, ValueError) as error:
        raise UnreadableRequestError(
            f'{contract.CONFIGURATION}.{contract.QUANTILES}: expected quantiles such as ["0.1", "0.5"], '
            f"found {show(given)}"
        ) from error


def choose(asked: Sequence[float], trained: Sequence[float]) -> list[int]:
    """The places of the quantiles that are asked for among those of the model; all where none are named."""
    if missing := [quantile for quantile in asked if quantile not in trained]:
        has = ", ".join(map(str, trained))
        raise UnreadableRequestError(
            f"{contract.CONFIGURATION}.{contract.QUANTILES}: {missing[0]} is not among the model's quantiles, {has}; "
            "ask for these, or train again with test_quantiles that has it"
        )
    return [list(trained).index(quantile) for quantile in asked] or list(range(len(trained)))
