"""Word vectors and text classification."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from headrace.recipes import Recipe, blazingtext
from headrace.workloads import corpus
from headrace.workloads.delivery import Place, Prefix, bring_file
from headrace.workloads.workload import IN_BATCH, Answers, Prediction, Scores, Site, spread

_JSON: Final = "application/json"
_BATCH_FILE: Final = "batch.jsonl"
# Among how many of the most frequent words a neighbour is looked for.
_WORDS: Final = 500
_LABEL: Final = "__label__"

SYNONYMS_FOUND: Final = "synonyms_found"
# How often a word that is drawn from all others is the right one.
CHANCE: Final = "synonyms_found_by_chance"


class Run:
    """A file of sentences, made up where none is given; in mode supervised each begins with its label."""

    recipe: ClassVar[Recipe] = blazingtext.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns={"accuracy": ".3f", "planted synonyms found": ".3f"},
        rows={
            "text classifier": (blazingtext.VALIDATION_ACCURACY,),
            "most frequent label": (blazingtext.BASELINE_ACCURACY,),
            "word vectors": ("", SYNONYMS_FOUND),
            "any other word": ("", CHANCE),
        },
        of_answers=frozenset({SYNONYMS_FOUND, CHANCE}),
    )

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._is_made_up = not self._given
        self._scratch = scratch
        self._file = given or scratch / "made_up_text.txt"

    def bring_data(self, site: Site) -> None:
        """Put the file into the raw bucket, or use what somebody else has put there instead of made-up sentences."""
        if not self._given:
            corpus.write_text(self._file, is_labelled=self._is_supervised(site))
        place = Prefix(site.raw_bucket, self.recipe.raw_prefix)
        self._file, foreign = bring_file(
            site.delivery, place, self._file, is_given=self._given, ending=".txt", scratch=self._scratch
        )
        if foreign:
            self.data = place.address
            self._is_made_up = False

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Ask for the labels of held-out sentences, or for the vectors of words, and look for neighbours."""
        if self._is_supervised(site):
            return Answers(self._ask_labels(site, endpoint_name))
        return self._ask_words(site, endpoint_name)

    def bring_batch(self, site: Site, place: Place) -> None:
        """Put some words or sentences there, one a line."""
        if site.delivery.find_foreign([place]):
            return
        lines = self._file.read_text(encoding="utf-8").splitlines()
        texts = [_part(line)[1] for line in spread(lines, IN_BATCH)]
        if not self._is_supervised(site):
            texts = list(dict.fromkeys(word for text in texts for word in text.lower().split()))[:IN_BATCH]
        file = self._scratch / _BATCH_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{json.dumps({'source': text})}\n" for text in texts), encoding="utf-8")
        site.delivery.bring(place, {file.name: file})

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to a few lines, spread over the first object of the batch."""
        name = min(given.list_files())
        pairs = zip(
            given.read(name).decode().splitlines(), answers.read(f"{name}.out").decode().splitlines(), strict=False
        )
        return [_describe(json.loads(asked)["source"], json.loads(answer)) for asked, answer in spread(list(pairs))]

    def _is_supervised(self, site: Site) -> bool:
        hyperparameters = site.read_training_request(self.recipe)["HyperParameters"]
        return bool(hyperparameters.get("mode") == blazingtext.SUPERVISED)

    def _ask_labels(self, site: Site, endpoint_name: str) -> list[Prediction]:
        place = site.open_channel(blazingtext.VALIDATION_CHANNEL)
        asked = [_part(line) for line in spread(place.read(min(place.list_files())).decode().splitlines())]
        body = {"instances": [text for _, text in asked], "configuration": {"k": 1}}
        return [
            Prediction(asked=text[:40], predicted=_name(answer["label"][0]), actual=_name(label))
            for (label, text), answer in zip(asked, _invoke(site, endpoint_name, body), strict=True)
        ]

    def _ask_words(self, site: Site, endpoint_name: str) -> Answers:
        place = site.open_channel(blazingtext.TRAIN_CHANNEL)
        counts = Counter(place.read(min(place.list_files())).decode().split())
        words = [word for word, _ in counts.most_common(_WORDS)]
        planted = corpus.list_synonyms() if self._is_made_up else {}
        answers = _invoke(site, endpoint_name, {"instances": words})
        nearest = find_neighbours(words, [answer["vector"] for answer in answers])
        asked = spread([word for word in words if word in planted] or words)
        predictions = [
            Prediction(asked=f"nearest to {word}", predicted=nearest[word], actual=planted.get(word)) for word in asked
        ]
        return Answers(predictions, measure_synonyms(nearest, planted) if planted else {})


def find_neighbours(words: Sequence[str], vectors: Sequence[Sequence[float]]) -> dict[str, str]:
    """The word whose vector points most nearly where each one's does."""
    matrix = np.asarray(vectors, np.float64)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    likeness = matrix @ matrix.T
    np.fill_diagonal(likeness, -np.inf)
    return {word: words[place] for word, place in zip(words, likeness.argmax(axis=1).tolist(), strict=True)}


def measure_synonyms(nearest: Mapping[str, str], planted: Mapping[str, str]) -> dict[str, float]:
    """How often the word nearest to a planted one is its synonym, and how often any other word would be.

    Args:
        nearest: The nearest word of each that was asked about.
        planted: The synonym of each word that has one; a word that was not asked about has not found it.
    """
    found = sum(nearest.get(word) == synonym for word, synonym in planted.items())
    return {SYNONYMS_FOUND: found / len(planted), CHANCE: 1 / (len(nearest) - 1)}


def _invoke(site: Site, endpoint_name: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(
        site.invoke(endpoint_name, json.dumps(body).encode(), content_type=_JSON, accept=_JSON)
    )
    return answer


def _part(line: str) -> tuple[str, str]:
    """The first label of a sentence, and its words."""
    words = line.split()
    labels = [word for word in words if word.startswith(_LABEL)]
    return labels[0] if labels else "", " ".join(word for word in words if word not in labels)


def _name(label: str) -> str:
    return label.removeprefix(_LABEL)


def _describe(text: str, answer: Mapping[str, Any]) -> Prediction:
    answer = answer.get("SageMakerOutput", answer)
    said = _name(answer["label"][0]) if "label" in answer else f"{len(answer['vector'])} numbers"
    return Prediction(asked=text[:40], predicted=said, actual=None)
