"""The endpoint answers in the forms of the built-in XGBoost."""

import json
from pathlib import Path

import numpy as np
import pytest

from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from containers.xgboost.service import SERVICE
from headrace.recordio import write_rows
from tests.containers.asgi_client import Client

CSV = {"content-type": "text/csv"}


def open_client(root: Path) -> Client:
    endpoint = Endpoint(SERVICE, root, 1, Traffic(every=False))
    endpoint.load()
    return Client(endpoint)


@pytest.fixture
def client(boosted: Path) -> Client:
    return open_client(boosted)


@pytest.fixture
def rows(boosted: Path) -> list[str]:
    """Features of held-out rows, as lines without the label."""
    lines = (boosted / "processing/test/test.csv").read_text().splitlines()
    return [line.partition(",")[2] for line in lines]


def test_answers_real_time_requests_on_one_line(client: Client, rows: list[str]) -> None:
    answer = client.post("/invocations", content="\n".join(rows), headers=CSV)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert "\n" not in answer.text
    assert len(answer.text.split(",")) == len(rows)
    assert {*answer.text.split(",")} <= {"0.0", "1.0", "2.0"}


def test_answers_a_transform_job_line_by_line(boosted: Path, rows: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BATCH", "true")

    answer = open_client(boosted).post("/invocations", content="\n".join(rows), headers=CSV)

    assert answer.text.endswith("\n")
    assert len(answer.text.splitlines()) == len(rows)


def test_answers_the_same_in_json_and_to_every_content_type(client: Client, rows: list[str], tmp_path: Path) -> None:
    numbers = np.array([[float(cell) for cell in row.split(",")] for row in rows], np.float32)
    write_rows(tmp_path / "rows.rec", numbers)
    libsvm = "\n".join(" ".join(f"{n}:{cell}" for n, cell in enumerate(row.split(","))) for row in rows)
    bodies = {
        "text/csv": "\n".join(rows).encode(),
        "text/libsvm": libsvm.encode(),
        "text/x-libsvm": libsvm.encode(),
        "application/x-recordio-protobuf": (tmp_path / "rows.rec").read_bytes(),
    }

    answers = [
        client.post("/invocations", content=body, headers={"content-type": kind, "accept": "application/json"}).json()
        for kind, body in bodies.items()
    ]

    assert all(answer == answers[0] for answer in answers)
    plain = client.post("/invocations", content="\n".join(rows), headers=CSV).text
    assert [entry["score"] for entry in answers[0]["predictions"]] == [float(value) for value in plain.split(",")]


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("text/csv", "1,2\n1", "row 2: 1 cells, but row 1 has 2"),
        ("text/csv", "a,2", "row 1, column 1: 'a' is not a number; send rows without a header"),
        ("text/csv", "1,2", "the rows have 2 features, and the model knows 10; send no label"),
        ("text/csv", " \n", "the body is empty; send at least one row"),
        ("text/libsvm", "1:x", "line 1: '1:x' is not libsvm: could not convert string to float: 'x'"),
        ("text/csv", "1_0,2", "row 1, column 1: '1_0' is not a number; send rows without a header"),
        (
            "text/csv",
            "1,2\n1,1e39",
            "row 2: feature 1 is infinite, or too large for 32 bits; leave a value out that is not known, "
            "or scale the feature",
        ),
        (
            "text/libsvm",
            "0:1\n3:inf",
            "row 2: feature 3 is infinite, or too large for 32 bits; leave a value out that is not known, "
            "or scale the feature",
        ),
        ("text/libsvm", "77:1", "the rows have 78 features, and the model knows 10; send no label"),
    ],
)
def test_refuses_rows_with_the_reason(client: Client, kind: str, body: str, reason: str) -> None:
    answer = client.post("/invocations", content=body, headers={"content-type": kind})

    assert (answer.status_code, answer.json()["error"]) == (400, reason)


def test_refuses_another_content_type(client: Client) -> None:
    assert client.post("/invocations", content="{}", headers={"content-type": "application/json"}).status_code == 415


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x80\x04\x95", "neither JSON nor UBJSON, and what else there is can run code"),
        (b'{"learner": 5}', "XGBoost cannot load it"),
        (b"{L\x00", "XGBoost cannot load it"),
    ],
)
def test_refuses_a_model_that_is_not_data_only(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/xgboost-model").write_bytes(content)

    with pytest.raises(ModelError, match=reason):
        open_client(tmp_path)


def test_reads_a_model_in_json_too(boosted: Path, tmp_path: Path) -> None:
    import xgboost

    booster = xgboost.Booster(model_file=bytearray((boosted / "model/xgboost-model").read_bytes()))
    (tmp_path / "model").mkdir()
    (tmp_path / "model/xgboost-model").write_bytes(booster.save_raw("json"))
    json.loads((tmp_path / "model/xgboost-model").read_bytes())

    assert open_client(tmp_path).post("/invocations", content="0," * 9 + "0", headers=CSV).status_code == 200
