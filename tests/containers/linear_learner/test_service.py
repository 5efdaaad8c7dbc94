"""The endpoint answers in the forms of the built-in linear learner."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.linear_learner.__main__ import main
from containers.linear_learner.service import SERVICE
from containers.shared.job.outputs import Outputs
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from headrace.recordio import read_records, read_rows, write_rows
from tests.containers.asgi_client import Client
from tests.containers.job_roots import write_job

JSON = "application/json"
LINES = "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
ROWS = "".join(f"{a + 2 * b},{a},{b}\n" for a in range(12) for b in range(12))


def open_client(root: Path) -> Client:
    endpoint = Endpoint(SERVICE, root, 1, Traffic(every=False))
    endpoint.load()
    return Client(endpoint)


@pytest.fixture
def client(fitted: Path) -> Client:
    return open_client(fitted)


@pytest.fixture
def rows(fitted: Path) -> np.ndarray:
    """Features of held-out rows."""
    return np.asarray(read_rows(fitted / "processing/test/test.pbr").features)


def ask(client: Client, body: bytes | str, kind: str = "text/csv", accept: str = JSON) -> Any:
    return client.post("/invocations", content=body, headers={"content-type": kind, "accept": accept})


def to_csv(rows: np.ndarray) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())


def test_answers_several_classes_with_the_probability_of_each(client: Client, rows: np.ndarray) -> None:
    predictions = ask(client, to_csv(rows)).json()["predictions"]

    assert len(predictions) == len(rows)
    for prediction in predictions:
        assert set(prediction) == {"score", "predicted_label"}
        assert sum(prediction["score"]) == pytest.approx(1)
        assert prediction["predicted_label"] == int(np.argmax(prediction["score"]))


@pytest.mark.parametrize("kind", ["regressor", "binary_classifier"])
def test_answers_numbers_and_two_classes(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    labels = np.array([float(line.partition(",")[0]) for line in ROWS.splitlines()])
    text = (
        ROWS
        if kind == "regressor"
        else "".join(
            f"{int(label > 20)},{line.partition(',')[2]}\n"
            for label, line in zip(labels, ROWS.splitlines(), strict=True)
        )
    )
    (folder / "rows.csv").write_text(text)
    write_job(tmp_path, {"predictor_type": kind, "mini_batch_size": "20"}, {"train": folder}, content_type="text/csv")
    assert main(["train"], tmp_path, Outputs()) == 0

    low, high = ask(open_client(tmp_path), "1,1\n11,11\n").json()["predictions"]

    if kind == "regressor":
        assert low == {"score": pytest.approx(3, abs=0.5)}
        assert high == {"score": pytest.approx(33, abs=0.5)}
    else:
        assert (low["predicted_label"], high["predicted_label"]) == (0, 1)
        assert 0 <= low["score"] < high["score"] <= 1


def test_answers_the_same_to_every_content_type(client: Client, rows: np.ndarray) -> None:
    records = io.BytesIO()
    write_rows(records, rows)
    plain = [{"features": row} for row in rows.tolist()]
    keyed = [{"data": {"features": {"keys": list(range(10)), "shape": [10], "values": row}}} for row in rows.tolist()]
    bodies = [
        ("text/csv", to_csv(rows).encode()),
        (JSON, json.dumps({"instances": plain}).encode()),
        (JSON, json.dumps({"instances": keyed}).encode()),
        (LINES, "\n".join(json.dumps({"data": {"features": {"values": one["features"]}}}) for one in plain).encode()),
        (RECORDIO, records.getvalue()),
    ]

    first, *others = [ask(client, body, kind).json()["predictions"] for kind, body in bodies]

    for answers in others:
        assert [one["predicted_label"] for one in answers] == [one["predicted_label"] for one in first]
        assert np.allclose([one["score"] for one in answers], [one["score"] for one in first])


def test_answers_in_json_lines_and_in_records(client: Client, rows: np.ndarray, tmp_path: Path) -> None:
    expected = ask(client, to_csv(rows)).json()["predictions"]

    lines = [json.loads(line) for line in ask(client, to_csv(rows), accept=LINES).text.splitlines()]
    (tmp_path / "answers.pbr").write_bytes(ask(client, to_csv(rows), accept=RECORDIO).content)
    records = list(read_records(tmp_path / "answers.pbr"))

    assert lines == expected
    assert [record.label["predicted_label"].values.tolist() for record in records] == [
        [float(one["predicted_label"])] for one in expected
    ]
    assert np.allclose([record.label["score"].values for record in records], [one["score"] for one in expected])
    assert all(not record.features for record in records)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("text/csv", "1,2\n1", "row 2: 1 cells, but row 1 has 2"),
        ("text/csv", "1,2", "the rows have 2 features, and the model knows 10; send no label"),
        ("text/csv", ",0" * 9, "row 1: a feature is missing or not finite; a linear model takes numbers only"),
        ("text/csv", " \n", "the body is empty; send at least one row"),
        (JSON, "[]", 'the body has no "instances"; send {"instances": [{"features": [1.5, 16.0]}]}'),
        (JSON, '{"instances": [5]}', "instance 1: found null instead of a list of numbers"),
        (JSON, '{"instances": [{"features": [1, "x"]}]}', 'instance 1: found [1, "x"] instead of a list of numbers'),
        (JSON, '{"instances": [{"features": [true]}]}', "instance 1: found [true] instead of a list of numbers"),
        (JSON, "{", "the body: not JSON"),
        (JSON, '{"instances": [{"features": [1]}, {"features": [1, 2]}]}', "row 2: 2 features, but row 1 has 1"),
        (
            JSON,
            '{"instances": [{"features": {"keys": [1], "shape": [1e15], "values": [1]}}]}',
            "instance 1: keys, values and shape do not fit each other",
        ),
        (LINES, '{"features": [1]}\n{', "line 2: not JSON"),
        (LINES, '{"features": [1]}\n\n{', "line 3: not JSON"),
        (JSON, "[" * 100_000, "the body: not JSON"),
        (JSON, '{"instances": [{"features": [' + "9" * 400 + "]}]}", "instance 1: a number is too large"),
    ],
)
def test_refuses_rows_with_the_reason(client: Client, kind: str, body: str, reason: str) -> None:
    answer = ask(client, body, kind)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "format 'headrace-linear-learner' version 2"),
        ({"predictor_type": "forest"}, "with 'forest'"),
        ({"features": 3}, "weights of shape (3, 10) for 3 features"),
        ({"threshold": float("inf")}, "threshold inf"),
        ({"weights_sha256": "0"}, "not the one that linear-learner.json belongs to"),
    ],
)
def test_refuses_a_model_that_is_not_whole(fitted: Path, tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    (tmp_path / "model").mkdir()
    document = json.loads((fitted / "model/linear-learner.json").read_text())
    (tmp_path / "model/linear-learner.json").write_text(json.dumps({**document, **change}))
    (tmp_path / "model/weights.npz").write_bytes((fitted / "model/weights.npz").read_bytes())

    with pytest.raises(ModelError) as refused:
        open_client(tmp_path)

    assert reason in str(refused.value)
