"""The job's hyperparameters, which SageMaker passes as text."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from containers.shared.job.events import warn_event
from containers.shared.job.training_failures import HyperparameterError
from containers.shared.job.training_hyperparameters import select_own

from . import contract
from .features import MOST_HORIZON

MEDIAN = 0.5
MOST_QUANTILES = 99
MOST_WINDOWS = 12
OWN = (
    contract.PREDICTION_LENGTH,
    contract.TIME_FREQ,
    contract.TEST_QUANTILES,
    contract.CALIBRATION_WINDOWS,
    contract.SEED,
)


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the job may set.

    Args:
        prediction_length: How many days are forecast.
        test_quantiles: Which quantiles are forecast, in ascending order.
        calibration_windows: On how many windows of that length before the test models are chosen and calibrated.
        seed: Decides what chance would.
    """

    prediction_length: int = 90
    test_quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    calibration_windows: int = 4
    seed: int = 42


def parse_hyperparameters(texts: Mapping[str, str]) -> Hyperparameters:
    """The job's hyperparameters, or an error that names the one that cannot be used."""
    own = select_own(texts, (*OWN, *contract.OTHERS_OF_DEEPAR))
    if ignored := sorted(set(own) - set(OWN)):
        warn_event("hyperparameters_ignored", names=",".join(ignored), reason="they_are_for_DeepAR_and_not_for_trees")
    frequency = own.get(contract.TIME_FREQ, contract.DAILY)
    if frequency not in (contract.DAILY, f"1{contract.DAILY}"):
        raise HyperparameterError(
            f"hyperparameter {contract.TIME_FREQ}: {frequency!r}, but this engine forecasts days; "
            f"use {contract.DAILY}, and sum finer data up by day"
        )
    defaults = Hyperparameters()
    return Hyperparameters(
        prediction_length=_parse_whole(
            own, contract.PREDICTION_LENGTH, range(1, MOST_HORIZON + 1), defaults.prediction_length
        ),
        test_quantiles=_parse_quantiles(own.get(contract.TEST_QUANTILES, json.dumps(defaults.test_quantiles))),
        calibration_windows=_parse_whole(
            own, contract.CALIBRATION_WINDOWS, range(1, MOST_WINDOWS + 1), defaults.calibration_windows
        ),
        seed=_parse_whole(own, contract.SEED, range(2**31), defaults.seed),
    )


def describe_hyperparameters(hyperparameters: Hyperparameters) -> dict[str, object]:
    """The hyperparameters as data, by name."""
    return {**asdict(hyperparameters), "test_quantiles": list(hyperparameters.test_quantiles)}


def _parse_whole(texts: Mapping[str, str], name: str, allowed: range, default: int) -> int:
    text = texts.get(name, str(default))
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(allowed.stop))
    if not digits or int(text) not in allowed:
        raise HyperparameterError(
            f"hyperparameter {name}: {text!r} is not a whole number from {allowed.start} to {allowed.stop - 1}"
        )
    return int(text)


def _parse_quantiles(text: str) -> tuple[float, ...]:
    try:
        quantiles = json.loads(text)
    except (ValueError, RecursionError):
        quantiles = None
    if not isinstance(quantiles, list) or not all(_is_quantile(quantile) for quantile in quantiles):
        raise HyperparameterError(
            f"hyperparameter {contract.TEST_QUANTILES}: {text!r} is not a list of numbers between 0 and 1, "
            "such as [0.1, 0.5, 0.9]"
        )
    if MEDIAN not in quantiles:
        raise HyperparameterError(
            f"hyperparameter {contract.TEST_QUANTILES}: {text!r} lacks 0.5, the forecast that sMAPE judges; add it"
        )
    if len(set(quantiles)) < len(quantiles) or len(quantiles) > MOST_QUANTILES:
        raise HyperparameterError(
            f"hyperparameter {contract.TEST_QUANTILES}: {text!r} must have each quantile once, {MOST_QUANTILES} at most"
        )
    return tuple(sorted(quantiles))


def _is_quantile(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and 0 < value < 1
