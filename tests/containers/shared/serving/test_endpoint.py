import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from containers.shared.serving import endpoint as module
from containers.shared.serving.endpoint import Answer, Endpoint, Headers, Receive, read_body
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client


class Counter(Endpoint):
    """Answers with the length of the body."""

    batch_strategy = "MULTI_RECORD"
    failure: Exception | None = None

    def load_model(self, folder: Path) -> Mapping[str, object]:
        if self.failure:
            raise self.failure
        return {"folder": folder.name}

    async def answer_invocation(self, headers: Headers, receive: Receive) -> Answer:
        body = await read_body(headers, receive, advice="send less")
        return Answer(200, str(await self.run_in_turn(len, body)).encode())


@pytest.fixture
def endpoint(tmp_path: Path) -> Counter:
    return Counter(tmp_path, 3, Traffic(every=True))


@pytest.fixture
def client(endpoint: Counter) -> Client:
    endpoint.load()
    return Client(endpoint)


def read_log(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_is_healthy_once_the_model_is_loaded(client: Client, method: str) -> None:
    assert client.request(method, "/ping").status_code == 200


def test_asks_to_wait_while_the_model_is_loading(endpoint: Counter) -> None:
    client = Client(endpoint)

    assert client.get("/ping").status_code == 503
    answer = client.post("/invocations", content=b"1")

    assert answer.status_code == 503
    assert answer.json() == {"error": "the model is still loading; try again in a few seconds"}


def test_logs_that_the_model_is_loaded(endpoint: Counter, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint.load()

    assert read_log(capsys) == [{"event": "model_loaded", "folder": "model"}]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(ModelError("a.json: not a model"), "a.json: not a model"), (RuntimeError("broken"), "Traceback (most recent")],
    ids=["known", "unknown"],
)
def test_ends_with_a_reason_in_the_log_when_the_model_cannot_be_loaded(
    endpoint: Counter,
    failure: Exception,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    endpoint.failure = failure

    endpoint.load_or_exit()

    assert ended == [module.MODEL_REFUSED_EXIT]
    (line,) = read_log(capsys)
    assert line["event"] == "model_refused"
    assert line["reason"].startswith(reason)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip"])
def test_refuses_a_compressed_body(client: Client, encoding: str) -> None:
    answer = client.post("/invocations", content=b"1", headers={"content-encoding": encoding})

    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "identity"
    assert answer.json() == {"error": f"cannot read content encoding {encoding!r}; send the body as it is"}


def test_takes_a_body_that_is_said_to_be_as_it_is(client: Client) -> None:
    answer = client.post("/invocations", content=b"123", headers={"content-encoding": "Identity"})

    assert answer.text == "3"


def test_refuses_a_body_that_declares_to_be_too_large(client: Client) -> None:
    answer = client.post("/invocations", content=b"x" * (6 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is larger than 6291456 bytes; send less"}


def test_refuses_a_body_that_turns_out_too_large(client: Client) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"x" * 1024 * 1024

    assert client.post("/invocations", content=stream()).status_code == 413


def test_refuses_work_when_other_work_takes_too_long(
    endpoint: Counter, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_SECONDS", 0.01)
    asyncio.run(endpoint.turns.acquire())

    answer = client.post("/invocations", content=b"1")

    assert answer.status_code == 503
    assert answer.json() == {"error": "other requests are in the way; try again, or send less at a time"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/ping", "GET, HEAD, POST"),
        ("GET", "/invocations", "POST"),
        ("POST", "/execution-parameters", "GET, HEAD"),
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


def test_answers_a_request_that_breaks_and_logs_why(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Counter, "run_in_turn", break_down)

    answer = client.post("/invocations", content=b"1")

    assert answer.status_code == 500
    assert answer.json() == {"error": "the request could not be answered; the log of the endpoint says why"}
    broke, request = read_log(capsys)
    assert broke["event"] == "request_broke"
    assert "MemoryError" in broke["traceback"]
    assert request["status"] == 500
