import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.big_mart.inference.service import SERVICE
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.job_roots import any_sales_row, make_sales
from tests.containers.logs import read_log

CSV = {"content-type": "text/csv"}
COLUMNS = [column for column in any_sales_row() if column != "Item_Outlet_Sales"]


def build_endpoint(root: Path) -> Endpoint:
    endpoint = Endpoint(SERVICE, root, 3, Traffic(every=True))
    endpoint.load()
    return endpoint


@pytest.fixture
def client(trained: Path) -> Client:
    return Client(build_endpoint(trained))


def csv_body(rows: list[dict[str, str]]) -> bytes:
    return "".join(",".join(row[column] for column in COLUMNS) + "\n" for row in rows).encode()


def test_logs_why_the_model_cannot_be_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        build_endpoint(tmp_path)

    assert read_log(capsys) == [
        {
            "event": "model_refused",
            "reason": f"{tmp_path}/model/encoding.json: No such file or directory; "
            "the model archive needs it at its top level",
        }
    ]


def test_answers_one_prediction_per_row_in_order(client: Client) -> None:
    rows = make_sales(20, seed=3)

    together = client.post("/invocations", content=csv_body(rows), headers=CSV)
    alone = [client.post("/invocations", content=csv_body([row]), headers=CSV).text for row in rows]

    assert together.headers["content-type"].startswith("text/csv")
    assert together.text == "".join(alone)
    assert len(set(alone)) > 10


def test_predicts_what_the_evaluation_promises(client: Client) -> None:
    rows = make_sales(300, seed=99)
    sales = np.array([float(row["Item_Outlet_Sales"]) for row in rows])

    predictions = np.array(client.post("/invocations", content=csv_body(rows), headers=CSV).text.split(), dtype=float)

    assert np.mean((predictions - sales) ** 2) < 0.6 * sales.var()


def test_answers_alike_whatever_the_form_of_the_rows(client: Client) -> None:
    row = any_sales_row(Item_Weight="")
    header = ",".join(row) + "\n" + ",".join(row.values())
    numbers = ("Item_Visibility", "Item_MRP", "Outlet_Establishment_Year")
    item = {name: float(cell) if name in numbers else cell for name, cell in row.items() if cell}

    answers = {
        client.post("/invocations", content=content, headers={"content-type": content_type}).text
        for content, content_type in (
            (csv_body([row]), "text/csv"),
            (csv_body([row]), "text/csv; header=absent"),
            (header, "text/csv"),
            (header, "text/csv; charset=utf-8; header=present"),
            (json.dumps(item), "application/jsonlines"),
            (json.dumps(item), "application/x-jsonlines"),
        )
    }

    assert len(answers) == 1
    assert float(answers.pop()) > 0


def test_answers_in_the_form_that_is_asked_for(client: Client) -> None:
    content = csv_body([any_sales_row()])
    plain = float(client.post("/invocations", content=content, headers=CSV).text)

    as_json = client.post("/invocations", content=content, headers={**CSV, "accept": "application/json"})
    as_lines = client.post("/invocations", content=content, headers={**CSV, "accept": "application/jsonlines"})

    assert (as_json.headers["content-type"], as_json.json()) == ("application/json", {"predictions": [plain]})
    assert (as_lines.headers["content-type"], as_lines.json()) == ("application/jsonlines", {"prediction": plain})


def test_serves_unknown_values_and_categories(client: Client) -> None:
    body = "," * 10 + "\n" + ",".join(["new", "", "new", "", "new", "", "new", "", "new", "new", "new"])

    answer = client.post("/invocations", content=body, headers=CSV)

    assert answer.status_code == 200
    assert [float(line) > 0 for line in answer.text.split()] == [True, True]


def test_names_the_row_that_is_wrong(client: Client) -> None:
    answer = client.post("/invocations", content=csv_body([any_sales_row(Item_MRP="abc")]), headers=CSV)

    assert answer.status_code == 400
    assert answer.json() == {"error": "row 1, column Item_MRP: expected a number, found 'abc'"}


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "nonsense"])
def test_refuses_other_content_types(client: Client, content_type: str) -> None:
    answer = client.post("/invocations", content=b"1", headers={"content-type": content_type})

    assert answer.status_code == 415
    assert answer.json() == {
        "error": f"cannot read content type {content_type!r}; "
        "accepted are text/csv, application/jsonlines, application/x-jsonlines"
    }


def test_refuses_another_header_parameter(client: Client) -> None:
    answer = client.post("/invocations", content=b"1", headers={"content-type": "text/csv; header=maybe"})

    assert answer.status_code == 400
    assert answer.json() == {"error": "content-type parameter header=maybe is neither present nor absent"}


def test_refuses_to_answer_in_other_forms(client: Client) -> None:
    answer = client.post("/invocations", content=b"1", headers={**CSV, "accept": "image/png"})

    assert answer.status_code == 406
    assert answer.json()["error"].startswith("cannot answer as 'image/png'; accepted are text/csv")


def test_refuses_a_body_that_declares_to_be_too_large(client: Client) -> None:
    answer = client.post("/invocations", content=b"x" * (6 * 1024 * 1024 + 1), headers=CSV)

    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is larger than 6291456 bytes; send fewer rows at a time"}


def test_answers_large_bodies_in_another_thread(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []
    to_thread = asyncio.to_thread

    async def note_and_run(*arguments: Any) -> Any:
        _attempt, _predict, body, *_ = arguments
        called.append(len(body))
        return await to_thread(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", note_and_run)
    small, large = csv_body(make_sales(3)), csv_body(make_sales(300))

    for content in (small, large):
        assert client.post("/invocations", content=content, headers=CSV).status_code == 200

    assert called == [len(large)]


def test_refuses_more_rows_than_it_can_answer_in_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("containers.big_mart.inference.contract.MAX_ROWS", 2)

    answer = client.post("/invocations", content=csv_body(make_sales(3)), headers=CSV)

    assert answer.status_code == 413
    assert answer.json() == {"error": "the body has more than 2 rows; send fewer rows at a time"}


def test_logs_every_request(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/ping")
    client.post("/invocations", content=csv_body([any_sales_row()] * 2), headers=CSV)
    client.post("/invocations", content=b"", headers=CSV)
    client.get("/elsewhere")

    lines = [line for line in read_log(capsys) if line["event"] == "request"]
    assert all(line.pop("milliseconds") >= 0 for line in lines)
    assert lines == [
        {"event": "request", "method": "GET", "path": "/ping", "status": 200},
        {"event": "request", "method": "POST", "path": "/invocations", "status": 200, "rows": 2},
        {
            "event": "request",
            "method": "POST",
            "path": "/invocations",
            "status": 400,
            "error": "the body is empty; send at least one row",
        },
        {
            "event": "request",
            "method": "GET",
            "path": "/elsewhere",
            "status": 404,
            "error": "there is nothing at /elsewhere",
        },
    ]
