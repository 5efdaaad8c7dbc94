"""The program keeps the contract of the built-in BlazingText, and serves what fastText has learnt without fastText."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest

from containers.blazingtext.engine.__main__ import main
from containers.blazingtext.engine.binary import BinaryError, read_binary
from containers.blazingtext.engine.model import Model
from containers.blazingtext.engine.service import SERVICE
from containers.shared.job.outputs import Outputs
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from headrace.algorithms import find_algorithm
from headrace.workloads import corpus
from headrace.workloads.blazingtext import find_neighbours
from tests.containers.asgi_client import Client
from tests.containers.job_roots import list_files, write_job
from tests.examples import count_examples

SUPERVISED = {"mode": "supervised", "buckets": "2000", "vector_dim": "10", "epochs": "10", "learning_rate": "0.5"}
WORDS = {"mode": "skipgram", "vector_dim": "10", "epochs": "1", "min_count": "1"}
SENTENCES = [
    "__label__über der Fluss naïve",
    "__label__a the river runs",
    "__label__a the bank of the river",
    "__label__b bank of money",
]


def run(root: Path, hyperparameters: dict[str, str], **texts: str) -> int:
    channels = {}
    for name, text in texts.items():
        (root / name).mkdir(parents=True)
        (root / name / f"{name}.txt").write_text(text)
        channels[name] = root / name
    write_job(root, hyperparameters, channels, content_type="text/plain")
    return main(["train"], root, Outputs())


def fail(root: Path, hyperparameters: dict[str, str], text: str) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, hyperparameters, train=text) == 1
    return (root / "output/failure").read_text()


def read_metrics(root: Path) -> dict[str, float]:
    metrics: dict[str, float] = json.loads((root / "output/data/evaluation.json").read_text())["metrics"]
    return metrics


def open_client(root: Path) -> Client:
    endpoint = Endpoint(SERVICE, root, 1, Traffic(every=False))
    endpoint.load()
    return Client(endpoint)


def ask(client: Client, body: str, kind: str = "application/json") -> Any:
    return client.post("/invocations", content=body, headers={"content-type": kind, "accept": kind})


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("classifier")
    lines = list(corpus.make_messages())
    assert run(root, SUPERVISED, train="\n".join(lines[:1500]), validation="\n".join(lines[1500:2000])) == 0
    return root


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("vectors")
    assert run(root, {"mode": "batch_skipgram"}, train="\n".join(corpus.make_sentences())) == 0
    return root


def test_finds_nine_of_ten_planted_synonyms_among_all_words(vectors: Path) -> None:
    lines = (vectors / "model/vectors.txt").read_text().splitlines()
    words = [line.split()[0] for line in lines[1:]]
    nearest = find_neighbours(words, [[float(value) for value in line.split()[1:]] for line in lines[1:]])

    planted = corpus.list_synonyms()
    found = sum(nearest[word] == synonym for word, synonym in planted.items())
    assert lines[0] == f"{len(words)} 100"
    assert found >= 0.9 * len(planted)


def test_leaves_vectors_as_the_algorithm_does(vectors: Path) -> None:
    assert {name for name in list_files(vectors) if name.startswith(("model", "output"))} == {
        "model/vectors.bin",
        "model/vectors.txt",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }


def test_is_right_twenty_points_more_often_than_the_most_frequent_label(classifier: Path) -> None:
    metrics = read_metrics(classifier)

    assert metrics["validation:accuracy"] >= metrics["baseline:accuracy"] + 0.2


def test_says_accuracies_in_the_algorithms_own_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(SENTENCES * 20)

    assert run(tmp_path, SUPERVISED, train=text, validation=text) == 0

    log = capsys.readouterr().out
    assert "this is not AWS's algorithm" in log
    assert "Number of validation examples: 80" in log
    for name, value in read_metrics(tmp_path).items():
        if name in find_algorithm("blazingtext").metrics:
            (found,) = re.findall(find_algorithm("blazingtext").metrics[name], log)
            assert float(found) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("mode", ["batch_skipgram", "skipgram", "cbow"])
@pytest.mark.parametrize("subwords", ["True", "false"])
def test_serves_the_vectors_that_fasttext_has_learnt(tmp_path: Path, mode: str, subwords: str) -> None:
    given = {**WORDS, "mode": mode, "subwords": subwords, "buckets": "500"}
    assert run(tmp_path, given, train="\n".join(SENTENCES * 20)) == 0
    theirs = fasttext.load_model(str(tmp_path / "model/vectors.bin"))

    ours = Model(read_binary((tmp_path / "model/vectors.bin").read_bytes()))

    for word in ("river", "naïve", "</s>", "rivers", "ü"):
        vector = ours.find_vector(word)
        # These bindings give vectors the length 1.
        length = float(np.linalg.norm(vector)) or 1.0
        assert vector / length == pytest.approx(theirs.get_word_vector(word), abs=1e-5), word


def test_serves_the_labels_that_fasttext_has_learnt(classifier: Path) -> None:
    path = classifier / "model/model.bin"
    theirs, ours = fasttext.load_model(str(path)), Model(read_binary(path.read_bytes()))

    for line in [*list(corpus.make_messages())[2000:2050], "nothing known naïve", "", "__label__billing x"]:
        text = line.partition(" ")[2]
        labels, probabilities = theirs.predict(text, k=4)
        assert dict(ours.find_labels(text, 4)) == pytest.approx(dict(zip(labels, probabilities, strict=True)), abs=1e-4)


def test_answers_words_with_vectors_and_unknown_ones_with_zeros(vectors: Path) -> None:
    word = next(iter(corpus.list_synonyms()))
    client = open_client(vectors)

    known, unknown = ask(client, json.dumps({"instances": [word, "nobodyknows"]})).json()
    lines = ask(client, f'{{"source": "{word}"}}\n', "application/jsonlines").text.splitlines()

    assert known["word"] == word
    assert len(known["vector"]) == 100
    assert any(known["vector"])
    assert unknown == {"word": "nobodyknows", "vector": [0.0] * 100}
    assert [json.loads(line) for line in lines] == [known]


def test_answers_sentences_with_as_many_labels_as_are_asked_for(classifier: Path) -> None:
    client = open_client(classifier)
    text = next(iter(corpus.make_messages())).partition(" ")[2]

    (one,) = ask(client, json.dumps({"instances": [text]})).json()
    (two,) = ask(client, json.dumps({"instances": [text], "configuration": {"k": 2}})).json()
    line = json.loads(ask(client, json.dumps({"source": text, "k": 2}), "application/jsonlines").text)

    assert (len(one["label"]), len(one["prob"])) == (1, 1)
    assert one["label"][0].startswith("__label__")
    assert line == two
    assert two["label"][0] == one["label"][0]
    assert two["prob"][0] >= two["prob"][1]


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("application/json", "[]", 'the body has no "instances"'),
        ("application/json", '{"instances": [5]}', "instance 1: found 5 instead of a text"),
        ("application/json", '{"instances": ["a"], "configuration": {"k": 0}}', "configuration: k is 0, not a whole"),
        ("application/json", "[" * 100_000, "the body: not JSON"),
        ("application/jsonlines", '{"source": "a"}\n{"text": "b"}', 'line 2: no "source"'),
        ("application/jsonlines", '{"source": "a"}\n\n{"text": "b"}', 'line 3: no "source"'),
        ("application/jsonlines", " \n", "the body is empty"),
    ],
)
def test_refuses_requests_with_the_reason(classifier: Path, kind: str, body: str, reason: str) -> None:
    answer = ask(open_client(classifier), body, kind)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(reason)


@pytest.mark.parametrize(
    ("given", "text", "message"),
    [
        (
            {"mode": "skip_gram"},
            "a",
            "hyperparameter mode: found 'skip_gram', allowed: one of batch_skipgram, skipgram",
        ),
        ({}, "a", "hyperparameter mode: missing; one of batch_skipgram"),
        (
            {**WORDS, "word_ngrams": "2"},
            "a",
            "hyperparameter word_ngrams: only for mode supervised, but it is skipgram",
        ),
        ({"mode": "skipgram"}, "a few words", "channel 'train': fastText cannot learn from it: "),
        (
            SUPERVISED,
            "__label__a b\nc d\n",
            "channel 'train', train.txt, line 2: no label; in mode supervised each line",
        ),
        (WORDS, "\n \n", "channel 'train' has no sentence, only empty lines"),
        (
            {**WORDS, "vector_dim": "10001"},
            "a",
            "hyperparameter vector_dim: found 10001, and our own program has up to 10000",
        ),
        (
            {**WORDS, "window_size": "99999999999"},
            "a",
            "hyperparameter window_size: found 99999999999, and our own program has up to 2147483647",
        ),
        (
            {**WORDS, "min_char": "7"},
            "a",
            "hyperparameter min_char: 7, but max_char is 6; make it 6 or less",
        ),
        (
            SUPERVISED,
            '{"source": "a b", "label": "x y"}\n',
            "channel 'train', train.txt, line 1: the label \"x y\" is neither a number nor one word; join its words",
        ),
        (
            SUPERVISED,
            '{"source": "a b", "label": null}\n',
            "channel 'train', train.txt, line 1: the label null is neither a number nor one word",
        ),
    ],
)
def test_refuses_what_cannot_be_learnt(tmp_path: Path, given: dict[str, str], text: str, message: str) -> None:
    assert fail(tmp_path, given, text).startswith(message)


def test_names_the_learning_rate_where_numbers_have_grown_beyond_all_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(**_asked: object) -> None:
        raise RuntimeError("Encountered NaN.")

    monkeypatch.setattr(fasttext, "train_supervised", give_up)

    assert fail(tmp_path, {**SUPERVISED, "learning_rate": "9"}, "__label__a b\n") == (
        "channel 'train': fastText cannot learn from it: Encountered NaN.; lower learning_rate, 9.0"
    )


def test_is_wrong_about_a_label_that_it_has_never_seen(tmp_path: Path) -> None:
    text = "\n".join(SENTENCES * 20)

    assert run(tmp_path, SUPERVISED, train=text, validation=f"{text}\n" + "__label__new the river\n" * 80) == 0

    metrics = read_metrics(tmp_path)
    assert metrics["validation:accuracy"] == pytest.approx(metrics["train:accuracy"] / 2, abs=1e-5)


def test_is_wrong_about_all_of_labels_that_it_has_never_seen(tmp_path: Path) -> None:
    text = "\n".join(SENTENCES * 20)

    assert run(tmp_path, SUPERVISED, train=text, validation="__label__new the river\n") == 0

    assert read_metrics(tmp_path)["validation:accuracy"] == 0


def test_reads_text_that_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert run(tmp_path, {**SUPERVISED, "min_count": "1"}, train="\ufeff" + "\n".join(SENTENCES)) == 0


def test_reads_lines_of_an_augmented_manifest(tmp_path: Path) -> None:
    lines = [{"source": "the\nriver", "label": 1}, {"source": "money", "label": [2, 3]}]

    assert run(tmp_path, {**SUPERVISED, "min_count": "1"}, train="\n".join(map(json.dumps, lines * 9))) == 0

    binary = read_binary((tmp_path / "model/model.bin").read_bytes())
    assert set(binary.labels) == {"__label__1", "__label__2", "__label__3"}


def corrupt(content: bytes, place: int, form: str, value: float) -> bytes:
    return content[:place] + struct.pack(form, value) + content[place + struct.calcsize(form) :]


@pytest.mark.parametrize("part", [0, 1, 7, 8, 63, 64, 90, 200, 2000, 20_000])
def test_refuses_a_model_that_ends_early(classifier: Path, part: int) -> None:
    content = (classifier / "model/model.bin").read_bytes()

    with pytest.raises((BinaryError, Exception)) as refused:
        read_binary(content[:part])

    assert refused.type is BinaryError


@pytest.mark.parametrize(
    ("place", "form", "value", "reason"),
    [
        (0, "<i", 1, "not a model of fastText"),
        (8, "<i", 2**31 - 1, "dimensions"),
        (8, "<i", -1, "dimensions"),
        (8 + 5 * 4, "<i", 0, "n-grams of 0 words"),
        (8 + 8 * 4, "<i", 2**31 - 1, "belong"),
        (8 + 56, "<i", 2**31 - 1, "is not served"),
        (8 + 56 + 4, "<i", -1, "is not served"),
    ],
)
def test_refuses_a_model_whose_numbers_cannot_be(
    classifier: Path, tmp_path: Path, place: int, form: str, value: float, reason: str
) -> None:
    content = corrupt((classifier / "model/model.bin").read_bytes(), place, form, value)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.bin").write_bytes(content)

    with pytest.raises(ModelError, match=reason):
        open_client(tmp_path)


@pytest.mark.parametrize("seed", range(count_examples(200)))
def test_never_fails_otherwise_than_by_refusing(seed: int, classifier: Path) -> None:
    chance = np.random.default_rng(seed)
    content = bytearray((classifier / "model/model.bin").read_bytes()[:4000])
    for place in chance.integers(0, 300, 5):
        content[place] = chance.integers(0, 256)

    with pytest.raises(BinaryError):
        read_binary(bytes(content))


@pytest.mark.slow
def test_learns_from_real_text(repository: Path, tmp_path: Path) -> None:
    path = repository.parent / "shared/data/text/wikitext2_valid.txt"
    if not path.is_file():
        pytest.skip("../shared/data/text/wikitext2_valid.txt is absent")
    text = re.sub(r"[^a-z\n]+", " ", path.read_text().lower())

    assert run(tmp_path, {"mode": "batch_skipgram", "epochs": "5", "min_count": "10"}, train=text) == 0

    model = Model(read_binary((tmp_path / "model/vectors.bin").read_bytes()))
    words = ["he", "she", "his", "her", "two", "three", "four", "river"]
    nearest = find_neighbours(words, [model.find_vector(word).tolist() for word in words])
    assert nearest["three"] in ("two", "four")
    assert nearest["his"] in ("her", "he")


def test_names_in_the_log_what_fasttext_has_no_use_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"early_stopping": "true", "patience": "2", "min_epochs": "3", "min_count": "1"}

    assert run(tmp_path, {**SUPERVISED, **given}, train="\n".join(SENTENCES)) == 0

    assert (
        "hyperparameters_ignored names=early_stopping,min_epochs,patience reason=fastText_has_no_use_for_them"
        in capsys.readouterr().err
    )
