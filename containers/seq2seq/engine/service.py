"""What is served: translations of tokenized sentences, in the built-in algorithm's forms.

    {"instances": [{"data": "the old farmer sees two boats ."}]}                asked in JSON
    {"predictions": [{"target": "zaso fane bou ."}]}                            answered
    {"instances": [{"data": "…", "configuration": {"attention_matrix": true}}]} asks for a "matrix", too: a row for each
                                                                                token of the target, a number in it for
                                                                                each of the source

In JSON Lines a line is `{"source": "the old farmer …"}`, and its answer `{"target": "zaso …"}`. In RecordIO-protobuf a
record has the numbers of the tokens as `source`, and its answer has `target`.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from containers.shared.serving.content_types import ContentType
from containers.shared.serving.json_bodies import SHOWN, load_json
from containers.shared.serving.messages import RequestError, number_lines
from containers.shared.serving.service import Prediction, Service
from headrace.recordio.framing import RecordIOError
from headrace.recordio.sentences import Pair, encode_pair, name_tokens, number_tokens, read_sources

from . import contract
from .decoding import Translation
from .model import Model, load_model

_MOST_INSTANCES: Final = 1000
_TRUE: Final = (True, "true")
_DIGITS: Final = 6


class Translator:
    """A network that answers requests."""

    def __init__(self, folder: Path) -> None:
        self.model: Model = load_model(folder)

    def describe(self) -> dict[str, object]:
        """How many tokens either side has, and how widely it searches."""
        model = self.model
        return {"source": len(model.source), "target": len(model.target), "beam_size": model.description.beam_size}

    def predict(self, body: bytes, content_type: ContentType, _media_type: str) -> Prediction:
        """One translation per instance of the body, in the form that it came in."""
        answer = {
            contract.JSON: self._answer_json,
            contract.JSON_LINES: self._answer_lines,
            contract.RECORDS: self._answer_records,
        }
        return answer[content_type.media_type](body)

    def _answer_json(self, body: bytes) -> Prediction:
        asked = parse_json(body)
        found = self._translate([number_tokens(text, self.model.source) for text, _ in asked], "instance")
        predictions = [
            {"target": name_tokens(translation.tokens, self.model.names)}
            | ({"matrix": _list_attention(translation)} if wants_matrix else {})
            for (_, wants_matrix), translation in zip(asked, found, strict=True)
        ]
        return _answer(json.dumps({"predictions": predictions}, ensure_ascii=False).encode(), found)

    def _answer_lines(self, body: bytes) -> Prediction:
        found = self._translate([number_tokens(text, self.model.source) for text in parse_lines(body)], "line")
        texts = (name_tokens(translation.tokens, self.model.names) for translation in found)
        lines = (json.dumps({"target": text}, ensure_ascii=False) for text in texts)
        return _answer("".join(f"{line}\n" for line in lines).encode(), found)

    def _answer_records(self, body: bytes) -> Prediction:
        sources = parse_records(body, len(self.model.source))
        found = self._translate(sources, "record")
        records = (encode_pair(Pair([], translation.tokens)) for translation in found)
        return _answer(b"".join(records), found)

    def _translate(self, sources: Sequence[list[int]], kind: str) -> list[Translation]:
        if len(sources) > _MOST_INSTANCES:
            raise RequestError(413, f"{len(sources):,} {kind}s, more than {_MOST_INSTANCES:,}; send fewer at a time")
        for place, source in enumerate(sources, start=1):
            if not source:
                raise RequestError(400, f"{kind} {place}: no token; send a sentence, its tokens divided by blanks")
        return self.model.translate(sources)


def parse_json(body: bytes) -> list[tuple[str, bool]]:
    """The sentences of a body, and of which the attention is wanted."""
    document = load_json(body, "the body")
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise RequestError(400, 'the body has no "instances"; send {"instances": [{"data": "a sentence"}]}')
    asked = []
    for place, instance in enumerate(instances, start=1):
        if not isinstance(instance, dict) or not isinstance(instance.get("data"), str):
            shown = json.dumps(instance)[:SHOWN]
            raise RequestError(400, f'instance {place}: found {shown}, expected {{"data": "a sentence"}}')
        configuration = instance.get("configuration")
        wanted = configuration.get("attention_matrix") if isinstance(configuration, dict) else False
        asked.append((instance["data"], wanted in _TRUE))
    return asked


def parse_lines(body: bytes) -> list[str]:
    """The sentences of a body's lines."""
    found = []
    for number, line in number_lines(body):
        document = load_json(line, f"line {number}")
        if not isinstance(document, dict) or not isinstance(document.get("source"), str):
            raise RequestError(400, f'line {number}: no "source"; send {{"source": "a sentence"}}')
        found.append(document["source"])
    if not found:
        raise RequestError(400, 'the body is empty; send {"source": "a sentence"} on each line')
    return found


def parse_records(body: bytes, tokens: int) -> list[list[int]]:
    """The numbered tokens of a body's records.

    Args:
        body: The body.
        tokens: How many tokens the vocabulary has.
    """
    try:
        sources = list(read_sources(io.BytesIO(body)))
    except RecordIOError as error:
        raise RequestError(400, f"the body: {error}") from error
    if not sources:
        raise RequestError(400, "the body is empty; send records of a feature 'source'")
    for place, source in enumerate(sources, start=1):
        if source and not 0 <= min(source) <= max(source) < tokens:
            raise RequestError(400, f"record {place}: a token beyond the vocabulary, which numbers {tokens:,} from 0")
    return sources


def _list_attention(translation: Translation) -> list[list[float]]:
    return [[round(value, _DIGITS) for value in row] for row in translation.attention.tolist()]


def _answer(content: bytes, found: Sequence[Translation]) -> Prediction:
    return Prediction(content, {"sentences": len(found), "tokens": sum(len(each.tokens) for each in found)})


SERVICE = Service(
    load=Translator,
    reads=(contract.JSON, contract.JSON_LINES, contract.RECORDS),
    writes=(contract.JSON, contract.JSON_LINES, contract.RECORDS),
    # The built-in algorithm wants both to be the same.
    answers_in_kind=True,
    batch_strategy="MULTI_RECORD",
    advice="send fewer sentences at a time",
)
