import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from containers.shared.serving import endpoint as module
from containers.shared.serving import metrics as counts
from containers.shared.serving.content_types import ContentType
from containers.shared.serving.endpoint import Endpoint, Patience
from containers.shared.serving.metrics import CELLS, Board, Metrics
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.service import Prediction, Service
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.logs import read_log

RAISED: Mapping[bytes, BaseException] = {
    type(error).__name__.encode(): error
    for error in (
        MemoryError(),
        StopIteration(),
        StopAsyncIteration(),
        SystemExit(1),
        KeyboardInterrupt(),
        asyncio.CancelledError(),
        GeneratorExit(),
        TimeoutError(),
    )
}


class Counter:
    """Answers with the length of the body."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def describe(self) -> Mapping[str, object]:
        return {"folder": self.folder.name}

    def predict(self, body: bytes, _content_type: ContentType, _media_type: str) -> Prediction:
        if body in RAISED:
            raise RAISED[body]
        if body == b"endless":
            time.sleep(0.5)
        return Prediction(str(len(body)).encode(), {"bytes": len(body)})


SERVICE = Service(
    load=Counter, reads=("text/plain",), writes=("text/plain",), batch_strategy="MULTI_RECORD", advice="send less"
)
PLAIN = {"content-type": "text/plain"}


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    return Endpoint(SERVICE, tmp_path, 3, Traffic(every=True))


@pytest.fixture
def client(endpoint: Endpoint) -> Client:
    endpoint.load()
    return Client(endpoint)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_is_healthy_once_the_model_is_loaded(client: Client, method: str) -> None:
    assert client.request(method, "/ping").status_code == 200


def test_asks_to_wait_while_the_model_is_loading(endpoint: Endpoint) -> None:
    client = Client(endpoint)

    assert client.get("/ping").status_code == 503
    answer = client.post("/invocations", content=b"1", headers=PLAIN)

    assert answer.status_code == 503
    assert answer.json() == {"error": "the model is still loading; try again in a few seconds"}


def test_is_not_healthy_while_another_worker_takes_requests_without_the_model(tmp_path: Path) -> None:
    board = Board(2)
    metrics = Metrics(board)
    endpoint = Endpoint(SERVICE, tmp_path, 2, Traffic(every=True), metrics)
    endpoint.load()
    # Another process that is there, in the place of a worker.
    board.owners[1] = os.getppid()
    loading = board.rows[1]

    loading[CELLS[counts.WITHOUT_MODEL, ""]] = 1
    before = Client(endpoint).get("/ping").status_code
    loading[CELLS[counts.WITHOUT_MODEL, ""]] = 0
    after = Client(endpoint).get("/ping").status_code

    assert (before, after) == (503, 200)


def test_logs_that_the_model_is_loaded(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint.load()

    assert read_log(capsys) == [{"event": "model_loaded", "folder": "model"}]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ModelError("a.json: not a model"), "a.json: not a model"),
        (RuntimeError("broken"), "Traceback (most recent"),
        (SystemExit(0), "Traceback (most recent"),
    ],
    ids=["known", "unknown", "exit"],
)
def test_ends_with_a_reason_in_the_log_when_the_model_cannot_be_loaded(
    endpoint: Endpoint,
    failure: BaseException,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)

    def fail(_folder: Path) -> Counter:
        raise failure

    endpoint.service = replace(SERVICE, load=fail)

    endpoint.load_or_exit()

    assert ended == [module.MODEL_REFUSED_EXIT]
    (line,) = read_log(capsys)
    assert line["event"] == "model_refused"
    assert line["reason"].startswith(reason)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip"])
def test_refuses_a_compressed_body(client: Client, encoding: str) -> None:
    answer = client.post("/invocations", content=b"1", headers={**PLAIN, "content-encoding": encoding})

    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "identity"
    assert answer.json() == {"error": f"cannot read content encoding {encoding!r}; send the body as it is"}


def test_takes_a_body_that_is_said_to_be_as_it_is(client: Client) -> None:
    answer = client.post("/invocations", content=b"123", headers={**PLAIN, "content-encoding": "Identity"})

    assert answer.text == "3"


def test_refuses_a_body_that_declares_to_be_too_large(client: Client) -> None:
    answer = client.post("/invocations", content=b"x" * (6 * 1024 * 1024 + 1), headers=PLAIN)

    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is larger than 6291456 bytes; send less"}


def test_refuses_a_body_that_turns_out_too_large(client: Client) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"x" * 1024 * 1024

    assert client.post("/invocations", content=stream(), headers=PLAIN).status_code == 413


def test_refuses_work_when_other_work_takes_too_long(endpoint: Endpoint, client: Client) -> None:
    endpoint.patience = Patience(wait=0.01, work=100)
    asyncio.run(endpoint.turns.acquire())

    answer = client.post("/invocations", content=b"1", headers=PLAIN)

    assert answer.status_code == 503
    assert answer.json() == {"error": "the endpoint is busy with other requests; try again, or send less at a time"}


@pytest.mark.parametrize("declares", [True, False], ids=["declared", "in chunks"])
def test_refuses_bodies_that_it_has_no_room_for(endpoint: Endpoint, client: Client, declares: bool) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"12"

    endpoint.body_bytes = module.MOST_BODY_BYTES - 1
    content = b"12" if declares else stream()

    full = client.post("/invocations", content=content, headers=PLAIN)
    endpoint.body_bytes = 0

    assert (full.status_code, full.json()) == (503, {"error": module.BUSY})
    assert client.post("/invocations", content=b"12", headers=PLAIN).status_code == 200
    assert endpoint.body_bytes == 0
    assert 'headrace_requests_rejected_total{reason="busy"} 1\n' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/ping", "GET, HEAD, POST"),
        ("GET", "/invocations", "POST"),
        ("POST", "/execution-parameters", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
    ],
)
def test_refuses_other_methods(client: Client, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json() == {"error": f"method {method} is not allowed here; allowed are {allowed}"}


def test_refuses_other_paths(client: Client) -> None:
    answer = client.get("/elsewhere")

    assert answer.status_code == 404
    assert answer.json() == {"error": "there is nothing at /elsewhere"}


def test_tells_batch_transform_how_to_call(client: Client) -> None:
    assert client.get("/execution-parameters").json() == {
        "MaxConcurrentTransforms": 3,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


@pytest.mark.parametrize("inline_bytes", [0, 1000], ids=["in turn", "inline"])
@pytest.mark.parametrize("body", RAISED)
def test_answers_a_request_that_breaks_and_logs_why(
    endpoint: Endpoint, client: Client, body: bytes, inline_bytes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.service = replace(SERVICE, inline_bytes=inline_bytes)
    capsys.readouterr()

    answer = client.post("/invocations", content=body, headers=PLAIN)

    assert answer.status_code == 500
    assert answer.json() == {"error": "the request could not be answered; see the log of the endpoint"}
    broke, request = read_log(capsys)
    assert broke["event"] == "request_broke"
    assert body.decode() in broke["traceback"]
    assert request["status"] == 500
    assert client.post("/invocations", content=b"1", headers=PLAIN).status_code == 200
    assert "headrace_model_errors_total 1\n" in client.get("/metrics").text


def test_ends_a_worker_whose_prediction_has_no_end(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    endpoint.patience = Patience(wait=100, work=0.01)
    monkeypatch.setattr("os._exit", ended.append)
    endpoint.load()

    Client(endpoint).post("/invocations", content=b"endless", headers=PLAIN)

    assert ended == [2]
    assert {"event": "prediction_hung", "seconds": 0.01} in read_log(capsys)


def test_shows_metrics_while_the_model_is_loading_and_after_it(endpoint: Endpoint) -> None:
    client = Client(endpoint)
    client.post("/invocations", content=b"1", headers=PLAIN)

    before = client.get("/metrics")
    endpoint.load()
    after = client.get("/metrics").text

    assert before.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'headrace_requests_rejected_total{reason="loading"} 1\n' in before.text
    assert "headrace_workers_ready 0\n" in before.text
    assert "headrace_model_load_seconds 0\n" in before.text
    assert "headrace_workers_ready 1\n" in after
    assert "headrace_model_load_seconds 0\n" not in after


def test_counts_what_waited_too_long(endpoint: Endpoint, client: Client) -> None:
    endpoint.patience = Patience(wait=0.01, work=100)
    asyncio.run(endpoint.turns.acquire())

    client.post("/invocations", content=b"1", headers=PLAIN)

    assert 'headrace_requests_rejected_total{reason="busy"} 1\n' in client.get("/metrics").text


def test_counts_invocations_in_flight(endpoint: Endpoint, client: Client) -> None:
    seen: list[str] = []

    def look(_body: bytes, *_: object) -> Prediction:
        seen.append(endpoint.metrics.render().decode())
        return Prediction(b"", {})

    assert endpoint.model
    endpoint.model.predict = look  # type: ignore[method-assign]
    client.post("/invocations", content=b"1", headers=PLAIN)

    assert "headrace_requests_in_flight 1\n" in seen[0]
    assert "headrace_requests_in_flight 0\n" in client.get("/metrics").text
