"""What an endpoint answers, and which requests and models it refuses."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from containers.seq2seq.engine import contract
from containers.seq2seq.engine.service import SERVICE, Translator
from containers.shared.serving.content_types import ContentType, parse_content_type
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.messages import RequestError
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from headrace.recordio.sentences import Pair, encode_pair, read_pairs
from tests.containers.asgi_client import Client
from tests.containers.seq2seq.translators import write_model

SENTENCES = ("the old farmer sees boats", "the farmer", "unheard-of words")


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    return Translator(write_model(tmp_path_factory.mktemp("translator")) / "model")


def parse(media_type: str) -> ContentType:
    return parse_content_type(media_type, SERVICE.reads)


def ask(translator: Translator, body: bytes, media_type: str = contract.JSON) -> bytes:
    return translator.predict(body, parse(media_type), media_type).content


def test_answers_the_same_in_each_form(translator: Translator) -> None:
    source = translator.model.source
    records = b"".join(encode_pair(Pair([source.get(token, 1) for token in text.split()], [])) for text in SENTENCES)

    answer = json.loads(ask(translator, json.dumps({"instances": [{"data": text} for text in SENTENCES]}).encode()))
    lines = ask(
        translator, "".join(f"{json.dumps({'source': text})}\n" for text in SENTENCES).encode(), contract.JSON_LINES
    )
    numbers = list(read_pairs(io.BytesIO(ask(translator, records, contract.RECORDS))))

    targets = [prediction["target"] for prediction in answer["predictions"]]
    assert answer["predictions"] == [{"target": target} for target in targets]
    assert [json.loads(line)["target"] for line in lines.splitlines()] == targets
    names = translator.model.names
    assert [" ".join(names[number] for number in pair.target) for pair in numbers] == targets
    assert any(targets)
    assert all(len(target.split()) <= 5 for target in targets)


@pytest.mark.parametrize("wanted", [True, "true"])
def test_shows_where_it_looked_if_it_is_asked_to(translator: Translator, wanted: object) -> None:
    body = {"instances": [{"data": text, "configuration": {"attention_matrix": wanted}} for text in SENTENCES]}

    answer = json.loads(ask(translator, json.dumps(body).encode()))

    for text, prediction in zip(SENTENCES, answer["predictions"], strict=True):
        assert len(prediction["matrix"]) == len(prediction["target"].split())
        assert {len(row) for row in prediction["matrix"]} <= {len(text.split())}


def test_leaves_out_what_is_longer_than_it_has_learnt(translator: Translator) -> None:
    short = "the old farmer sees boats the"

    one, other = (
        ask(translator, json.dumps({"instances": [{"data": text}]}).encode()) for text in (short, f"{short} farmer old")
    )

    assert one == other


@pytest.mark.parametrize(
    ("body", "media_type", "message"),
    [
        (b"", contract.JSON, "the body: not JSON"),
        (b"[" * 100_000, contract.JSON, "the body: not JSON"),
        (b'{"instances": []}', contract.JSON, 'the body has no "instances"; send'),
        (b'{"instances": ["a"]}', contract.JSON, 'instance 1: found "a", expected {"data": "a sentence"}'),
        (b'{"instances": [{"data": " "}]}', contract.JSON, "instance 1: no token; send a sentence"),
        (b'{"source": "a"}\n{"data": "a"}', contract.JSON_LINES, 'line 2: no "source"; send'),
        (b'{"source": "a"}\n\n{"data": "a"}', contract.JSON_LINES, 'line 3: no "source"; send'),
        (b"\n", contract.JSON_LINES, "the body is empty; send"),
        (b"", contract.RECORDS, "the body is empty; send records of a feature 'source'"),
        (b"abcdefgh", contract.RECORDS, "the body: record 0 at byte 0: starts with"),
        (
            encode_pair(Pair([99], [])),
            contract.RECORDS,
            "record 1: a token beyond the vocabulary, which numbers 9",
        ),
        (encode_pair(Pair([-1], [])), contract.RECORDS, "record 1: a token beyond the vocabulary"),
        (encode_pair(Pair([], [4])), contract.RECORDS, "record 1: no token; send a sentence"),
    ],
)
def test_refuses_a_body_that_it_cannot_read(translator: Translator, body: bytes, media_type: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        ask(translator, body, media_type)

    assert caught.value.status == 400
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("accept", ["*/*", contract.JSON, contract.JSON_LINES, "text/csv"])
def test_says_in_which_form_the_answer_is_whatever_the_caller_would_like(tmp_path: Path, accept: str) -> None:
    endpoint = Endpoint(SERVICE, write_model(tmp_path), 1, Traffic(every=False))
    endpoint.load()
    headers = {"content-type": contract.JSON_LINES, "accept": accept}

    answer = Client(endpoint).post("/invocations", content=b'{"source": "the farmer"}\n' * 2, headers=headers)

    assert answer.headers["content-type"] == contract.JSON_LINES
    assert len(answer.text.splitlines()) == 2


def test_refuses_work_without_end(translator: Translator) -> None:
    with pytest.raises(RequestError, match="1,001 instances, more than 1,000; send fewer at a time"):
        ask(translator, json.dumps({"instances": [{"data": "a"}] * 1001}).encode())


def damage(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx", "vocab.src.json", "vocab.trg.json"])
def test_refuses_files_that_do_not_belong_together(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path) / "model"
    damage(folder, name)

    with pytest.raises(ModelError, match=rf"{name}: not the one that seq2seq\.json belongs to"):
        SERVICE.load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "not what training writes: .*version 2"),
        ({"beam_size": 0}, "beam_size is 0, not 1 to 1000"),
        ({"longest_target": 10**9}, "longest_target is 1000000000, not 1 to 10000"),
        ({"sha256": []}, "not what training writes"),
    ],
)
def test_refuses_a_description_that_training_does_not_write(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = write_model(tmp_path) / "model" / contract.DESCRIPTION_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    with pytest.raises(ModelError, match=message):
        SERVICE.load(path.parent)
