"""What a run brings for translation, and how it reads the answers; and what the made-up language is like."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from containers.seq2seq.preprocessing.__main__ import main as preprocess
from containers.shared.job.outputs import Outputs
from headrace.workloads import phrases, seq2seq
from headrace.workloads.delivery import Delivery, Folder


class Site(SimpleNamespace):
    """A platform whose channels are folders, and whose endpoint answers with what it is asked."""

    def open_channel(self, name: str) -> Folder:
        return Folder(self.root / "processing" / name)

    def invoke(self, _endpoint_name: str, body: bytes, **_types: str) -> bytes:
        instances = json.loads(body)["instances"]
        return json.dumps({"predictions": [{"target": instance["data"]} for instance in instances]}).encode()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(root=tmp_path / "job", delivery=Delivery(tmp_path))


def test_asks_for_held_out_sentences_by_their_words(tmp_path: Path, site: Any) -> None:
    phrases.write_pairs(site.root / "processing/input/pairs.tsv", 200)
    assert preprocess([], site.root, Outputs()) == 0

    predictions = seq2seq.Run(None, tmp_path / "scratch").ask_endpoint(site, "shop").predictions

    known = dict(phrases.make_pairs(200))
    assert len(predictions) == 5
    assert all(known[str(each.asked)] == each.actual for each in predictions)
    assert all(each.predicted == each.asked for each in predictions)


@pytest.mark.parametrize("wrap", [dict, lambda answer: {"SageMakerOutput": answer}])
def test_brings_a_batch_and_reads_what_was_answered(tmp_path: Path, site: Any, wrap: Any) -> None:
    given, answers = Folder(tmp_path / "batch"), Folder(tmp_path / "answers")
    phrases.write_pairs(tmp_path / "pairs.tsv", 30)
    run = seq2seq.Run(tmp_path / "pairs.tsv", tmp_path / "scratch")
    given.path.mkdir()
    answers.path.mkdir()

    run.bring_batch(site, given)
    (name,) = given.list_files()
    lines = given.read(name).decode().splitlines()
    answered = (json.dumps(wrap({"target": json.loads(line)["source"].upper()})) for line in lines)
    (answers.path / f"{name}.out").write_text("\n".join(answered))
    predictions = run.read_batch(given, answers)

    assert len(lines) == 30
    assert [each.predicted for each in predictions] == [str(each.asked).upper() for each in predictions]


def test_brings_no_line_that_has_nothing_to_translate(tmp_path: Path, site: Any) -> None:
    given = Folder(tmp_path / "batch")
    given.path.mkdir()
    (tmp_path / "pairs.tsv").write_text("\n\n \t \n" + "one\tein\n\n" * 4 + "\n", "utf-8-sig")

    seq2seq.Run(tmp_path / "pairs.tsv", tmp_path / "scratch").bring_batch(site, given)

    (name,) = given.list_files()
    assert [json.loads(line) for line in given.read(name).splitlines()] == [{"source": "one"}] * 4


def test_makes_up_the_same_language_each_time_whose_rules_need_more_than_words() -> None:
    pairs = phrases.make_pairs(500)

    assert pairs == phrases.make_pairs(500)
    assert len(set(pairs)) == 500
    assert len({source for source, _ in pairs}) == len({target for _, target in pairs})
    negated = [(source, target) for source, target in pairs if " not " in source]
    words = [set(target.split()) for _, target in negated]
    # The word for "not" is in each of these, and the first or the second of the sentence.
    (common,) = set.intersection(*words) - {"."}
    assert all(target.split().index(common) < 2 for _, target in negated)
