"""What a run asks of word vectors, and what it makes of the answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.workloads import blazingtext, corpus
from headrace.workloads.delivery import Delivery, Folder


class Site(SimpleNamespace):
    """A platform whose training channel is a folder, and whose endpoint answers with the vectors of some words."""

    raw_bucket = "raw"

    def open_channel(self, _name: str) -> Folder:
        channel: Folder = self.channel
        return channel

    def read_training_request(self, _recipe: Any) -> Mapping[str, Any]:
        return {"HyperParameters": {"mode": "batch_skipgram"}}

    def invoke(self, _endpoint_name: str, body: bytes, **_types: str) -> bytes:
        words = json.loads(body)["instances"]
        return json.dumps([{"word": word, "vector": self.find_vector(word)} for word in words]).encode()


def point_synonyms_one_way(word: str) -> list[float]:
    """A direction for each pair of words, but for one word that points where another pair does."""
    planted = corpus.list_synonyms()
    pairs = sorted({min(pair) for pair in planted.items()})
    lost = pairs[0]
    pair = pairs[1] if word == lost else min(word, planted.get(word, word))
    return [float(pair == other) for other in pairs] + [0.0 if pair in pairs else 1.0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "train.txt").write_text("".join(f"{line}\n" for line in corpus.make_sentences()))
    return Site(channel=Folder(folder), delivery=Delivery(tmp_path / "delivery"), find_vector=point_synonyms_one_way)


def test_says_how_many_planted_synonyms_are_nearest_and_how_many_by_chance(tmp_path: Path, site: Any) -> None:
    answers = blazingtext.Run(None, tmp_path / "scratch").ask_endpoint(site, "shop")

    assert len(answers.predictions) == 5
    assert all(each.actual for each in answers.predictions)
    # One word of eighty is lost, and so is the one that it is the synonym of; both may be the nearest of others.
    assert 0.9 < answers.metrics[blazingtext.SYNONYMS_FOUND] < 1
    assert answers.metrics[blazingtext.CHANCE] == pytest.approx(1 / 380)


def test_measures_nothing_of_a_text_of_ones_own(tmp_path: Path, site: Any) -> None:
    text = tmp_path / "own.txt"
    text.write_text("the river runs\n")

    answers = blazingtext.Run(text, tmp_path / "scratch").ask_endpoint(site, "shop")

    assert len(answers.predictions) == 5
    assert not any(each.actual for each in answers.predictions)
    assert answers.metrics == {}


def test_counts_a_synonym_that_is_in_no_answer_as_not_found() -> None:
    measured = blazingtext.measure_synonyms({"a": "b", "b": "a", "c": "a"}, {"a": "b", "b": "a", "x": "y", "y": "x"})

    assert measured == {blazingtext.SYNONYMS_FOUND: 0.5, blazingtext.CHANCE: 0.5}
