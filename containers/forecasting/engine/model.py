"""Loading the model and what it needs beside it, and forecasting with them."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from containers.shared.serving.model_files import ModelError, read_file
from containers.shared.serving.onnx_sessions import open_session

from . import contract
from .features import LEAST_LEVEL_DAYS, MOST_HORIZON, NAMES, History, make_features
from .instances import Instance, InstanceError
from .quantiles import combine

# Where ONNX files end, and a thousand times what our own training writes.
MOST_MODEL_BYTES = 2**31
MOST_FORECAST_BYTES = 1024 * 1024

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is known beside the trees: how many days they forecast, which quantiles, and their calibration."""

    horizon: int
    quantiles: tuple[float, ...]
    factors: Values
    digest: str


@dataclass(frozen=True)
class Model:
    """Trees that forecast."""

    forecast: Forecast
    session: onnxruntime.InferenceSession

    def predict(self, instances: Sequence[Instance]) -> list[Values]:
        """The quantiles of the days after each series, a row a day.

        Raises:
            InstanceError: If a series is too short.
        """
        horizon = self.forecast.horizon
        made = [
            make_features(
                History(instance.start, instance.demand),
                np.arange(len(instance.demand), len(instance.demand) + horizon),
                horizon,
            )
            for instance in instances
        ]
        for place, features in enumerate(made):
            if not np.isfinite(features.levels).all():
                days = horizon + LEAST_LEVEL_DAYS - 1
                raise InstanceError(
                    f"instance {place}: a forecast of {horizon} days needs {days} days or more of its series, "
                    f"the first {LEAST_LEVEL_DAYS} of these known; send more of it"
                )
        shares = self.session.run(None, {"features": np.concatenate([features.rows for features in made])})[0]
        levels = np.concatenate([features.levels for features in made])
        answers = combine(shares.astype(np.float64), self.forecast.factors, levels)
        return np.split(answers, len(instances))


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be ours."""
    path = folder / contract.FORECAST_FILE
    try:
        forecast = parse_forecast(json.loads(read_file(path, MOST_FORECAST_BYTES)))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: not what training writes: {error!r}; train again with this release") from error
    path = folder / contract.MODEL_FILE
    content = read_file(path, MOST_MODEL_BYTES)
    if hashlib.sha256(content).hexdigest() != forecast.digest:
        raise ModelError(f"{path}: not the one that {contract.FORECAST_FILE} belongs to; deploy both of one job")
    session = open_session(path, content)
    shapes = session.get_inputs()[0].shape[-1], session.get_outputs()[0].shape[-1]
    if shapes != (len(NAMES), len(forecast.quantiles)):
        raise ModelError(f"{path}: it has {shapes} features and quantiles, not {(len(NAMES), len(forecast.quantiles))}")
    return Model(forecast, session)


def parse_forecast(document: dict[str, Any]) -> Forecast:
    """What the file says, or a ValueError that says why it cannot be used."""
    found = (document["format"], document["version"])
    if found != (contract.FORECAST_FORMAT, contract.FORECAST_VERSION):
        raise ValueError(f"format {found[0]!r} version {found[1]!r}")
    quantiles, factors = (tuple(float(value) for value in document[name]) for name in ("quantiles", "factors"))
    horizon = int(document["prediction_length"])
    sound = all(0 < quantile < 1 for quantile in quantiles) and sorted(set(quantiles)) == list(quantiles)
    if not sound or len(factors) != len(quantiles) or not all(map(math.isfinite, factors)):
        raise ValueError(f"quantiles {quantiles} with factors {factors}")
    if not 1 <= horizon <= MOST_HORIZON:
        raise ValueError(f"prediction_length {horizon}")
    return Forecast(
        horizon=horizon, quantiles=quantiles, factors=np.array(factors), digest=str(document["model_sha256"])
    )
