"""What is served: quantiles of the days after each series, in the form of SageMaker's DeepAR."""

import json
from collections.abc import Sequence
from pathlib import Path

from containers.shared.serving.content_types import ContentType
from containers.shared.serving.messages import RequestError
from containers.shared.serving.service import Prediction, Service

from . import contract
from .instances import InstanceError
from .model import Values, load_model
from .requests import TooManyError, UnreadableRequestError, choose, parse_json, parse_json_lines

DIGITS = 3


class Forecaster:
    """A model that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

    def describe(self) -> dict[str, object]:
        """How far it forecasts, and which quantiles."""
        return {"days": self.model.forecast.horizon, "quantiles": len(self.model.forecast.quantiles)}

    def predict(self, body: bytes, content_type: ContentType, media_type: str) -> Prediction:
        """The forecast of each series of the body."""
        try:
            request = (parse_json if content_type.media_type == contract.JSON else parse_json_lines)(body)
            chosen = choose(request.quantiles, self.model.forecast.quantiles)
            forecasts = self.model.predict(request.instances)
        except TooManyError as error:
            raise RequestError(413, str(error)) from error
        except (UnreadableRequestError, InstanceError) as error:
            raise RequestError(400, str(error)) from error
        answers = [describe_quantiles(forecast, chosen, self.model.forecast.quantiles) for forecast in forecasts]
        return Prediction(format_answers(answers, media_type), {"series": len(answers)})


def describe_quantiles(forecast: Values, chosen: Sequence[int], quantiles: Sequence[float]) -> dict[str, object]:
    """A series' forecast: the days of each quantile, by its name."""
    days = {str(quantiles[place]): [round(value, DIGITS) for value in forecast[:, place].tolist()] for place in chosen}
    return {contract.QUANTILES: days}


def format_answers(answers: Sequence[object], media_type: str) -> bytes:
    """The answers in the chosen form, in the order of the instances."""
    if media_type == contract.JSON:
        return json.dumps({contract.PREDICTIONS: answers}).encode()
    return "".join(f"{json.dumps(answer)}\n" for answer in answers).encode()


SERVICE = Service(
    load=Forecaster,
    reads=(contract.JSON, contract.JSON_LINES, contract.JSON_LINES_ALIAS),
    writes=(contract.JSON, contract.JSON_LINES, contract.JSON_LINES_ALIAS),
    batch_strategy="MULTI_RECORD",
    advice="send fewer series at a time, or less of their past",
)
