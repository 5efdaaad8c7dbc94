"""What is served: vectors of words or labels of sentences, in the built-in algorithm's forms.

    {"instances": ["king", "queen"]}                                     asked in JSON
    [{"word": "king", "vector": [0.12, -0.4]}, …]                        answered by word vectors
    {"instances": ["the movie was good"], "configuration": {"k": 2}}     asked in JSON
    [{"label": ["__label__a", "__label__b"], "prob": [0.9, 0.1]}]        answered by a classifier

In JSON Lines each line is `{"source": "king"}` or `{"source": "the movie was good", "k": 2}`, and each line of the
answer one of these objects.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from containers.shared.serving.content_types import ContentType
from containers.shared.serving.json_bodies import SHOWN, load_json
from containers.shared.serving.messages import RequestError, number_lines
from containers.shared.serving.service import Prediction, Service

from . import contract
from .model import load_model

_MOST_INSTANCES: Final = 100_000


class TextModel:
    """A model that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

    def describe(self) -> Mapping[str, object]:
        """How many words and labels it knows, and how long its vectors are."""
        return self.model.describe()

    def predict(self, body: bytes, content_type: ContentType, _media_type: str) -> Prediction:
        """One answer per instance of the body, in the form that it came in."""
        is_json = content_type.media_type == contract.JSON
        asked = parse_json(body) if is_json else parse_lines(body)
        answers = [self.answer(text, most) for text, most in asked]
        if is_json:
            return Prediction(json.dumps(answers).encode(), {"instances": len(answers)})
        lines = "".join(f"{json.dumps(answer)}\n" for answer in answers)
        return Prediction(lines.encode(), {"instances": len(answers)})

    def answer(self, text: str, most: int) -> dict[str, Any]:
        """What is answered to a word, or to a sentence."""
        if not self.model.is_supervised:
            return {"word": text, "vector": self.model.find_vector(text).tolist()}
        labels = self.model.find_labels(text, most)
        return {"label": [label for label, _ in labels], "prob": [probability for _, probability in labels]}


def parse_json(body: bytes) -> list[tuple[str, int]]:
    """The instances of a body, and how many labels are asked for."""
    document = load_json(body, "the body")
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise RequestError(400, 'the body has no "instances"; send {"instances": ["king", "queen"]}')
    if len(instances) > _MOST_INSTANCES:
        raise RequestError(413, f"{len(instances):,} instances, more than {_MOST_INSTANCES:,}; send fewer at a time")
    configuration = document.get("configuration", {})
    most = _parse_most(configuration if isinstance(configuration, dict) else {}, "configuration")
    for place, instance in enumerate(instances, start=1):
        if not isinstance(instance, str):
            raise RequestError(400, f"instance {place}: found {json.dumps(instance)[:SHOWN]} instead of a text")
    return [(instance, most) for instance in instances]


def parse_lines(body: bytes) -> list[tuple[str, int]]:
    """The lines of a body, and how many labels each asks for."""
    asked = []
    for number, line in number_lines(body):
        document = load_json(line, f"line {number}")
        source = document.get("source") if isinstance(document, dict) else None
        if not isinstance(source, str):
            raise RequestError(400, f'line {number}: no "source"; send {{"source": "king"}}')
        asked.append((source, _parse_most(document, f"line {number}")))
    if not asked:
        raise RequestError(400, 'the body is empty; send {"source": "king"} on each line')
    return asked


def _parse_most(document: Mapping[str, Any], place: str) -> int:
    most = document.get("k", 1)
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise RequestError(400, f"{place}: k is {json.dumps(most)[:SHOWN]}, not a whole number from 1")
    return most


SERVICE = Service(
    load=TextModel,
    reads=(contract.JSON, contract.JSON_LINES),
    writes=(contract.JSON, contract.JSON_LINES),
    # The built-in algorithm ignores an Accept that differs, too.
    answers_in_kind=True,
    batch_strategy="MULTI_RECORD",
    advice="send fewer instances at a time",
)
