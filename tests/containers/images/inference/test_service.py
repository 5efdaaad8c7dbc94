import io
import threading
from pathlib import Path

import pytest
from PIL import Image

from containers.images.inference.model import Model
from containers.images.inference.service import SERVICE
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.logs import read_log

IMAGE = {"content-type": "application/x-image"}


def build_endpoint(root: Path) -> Endpoint:
    endpoint = Endpoint(SERVICE, root, 3, Traffic(every=True))
    endpoint.load()
    return endpoint


@pytest.fixture
def client(trained_images: Path) -> Client:
    return Client(build_endpoint(trained_images))


@pytest.fixture
def photograph(photographs: Path) -> bytes:
    """One of the photographs that the model was trained on."""
    return (photographs / "gear/gear_0001.jpg").read_bytes()


def test_logs_why_the_model_cannot_be_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        build_endpoint(tmp_path)

    assert read_log(capsys) == [
        {
            "event": "model_refused",
            "reason": f"{tmp_path}/model/classifier.json: No such file or directory; "
            "the model archive needs it at its top level",
        }
    ]


def test_answers_with_the_class_of_an_image_it_was_trained_on(client: Client, photograph: bytes) -> None:
    answer = client.post("/invocations", content=photograph, headers=IMAGE)

    assert answer.headers["content-type"] == "application/json"
    best = answer.json()["predictions"][0]
    assert (best["label"], best["class"]) == ("gear", 2)
    assert best["probability"] > 0.5


def test_gives_probabilities_whose_largest_is_that_of_the_first_prediction(client: Client, photograph: bytes) -> None:
    answer = client.post("/invocations", content=photograph, headers=IMAGE).json()

    assert len(answer["predictions"]) == 5
    assert len(answer["probabilities"]) == 6
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert max(answer["probabilities"]) == answer["probabilities"][2] == answer["predictions"][0]["probability"]


def test_answers_alike_whatever_the_form_of_the_image(client: Client, photograph: bytes) -> None:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photograph)).save(buffer, "PNG")

    labels = {
        client.post("/invocations", content=content, headers={"content-type": content_type}).json()["predictions"][0][
            "label"
        ]
        for content, content_type in (
            (photograph, "application/x-image"),
            (photograph, "image/jpeg"),
            (buffer.getvalue(), "image/png"),
            (buffer.getvalue(), "application/x-image; name=gear"),
        )
    }

    assert labels == {"gear"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no image", "the body cannot be decoded: neither a JPEG nor a PNG file"),
        (b"", "the body is empty; send one JPEG or PNG photograph"),
    ],
)
def test_says_why_a_body_is_no_image(client: Client, content: bytes, reason: str) -> None:
    answer = client.post("/invocations", content=content, headers=IMAGE)

    assert answer.status_code == 400
    assert answer.json() == {"error": reason}


def test_refuses_an_image_that_is_cut_short(client: Client, photograph: bytes) -> None:
    answer = client.post("/invocations", content=photograph[: len(photograph) // 2], headers=IMAGE)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the body cannot be decoded: damaged: ")


@pytest.mark.parametrize("content_type", ["", "application/json", "text/csv", "image/gif", "nonsense"])
def test_refuses_other_content_types(client: Client, photograph: bytes, content_type: str) -> None:
    answer = client.post("/invocations", content=photograph, headers={"content-type": content_type})

    assert answer.status_code == 415
    assert answer.json() == {
        "error": f"cannot read content type {content_type!r}; accepted are application/x-image, image/jpeg, image/png"
    }


def test_refuses_to_answer_in_other_forms(client: Client, photograph: bytes) -> None:
    answer = client.post("/invocations", content=photograph, headers={**IMAGE, "accept": "text/csv"})

    assert answer.status_code == 406
    assert answer.json() == {"error": "cannot answer as 'text/csv'; accepted is application/json"}


def test_refuses_a_body_that_declares_to_be_too_large(client: Client) -> None:
    answer = client.post("/invocations", content=b"x" * (6 * 1024 * 1024 + 1), headers=IMAGE)

    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is larger than 6291456 bytes; send a smaller photograph"}


def test_decodes_in_another_thread(client: Client, photograph: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def note_thread(_model: Model, _body: bytes) -> list[float]:
        threads.append(threading.current_thread())
        return [1 / 6] * 6

    monkeypatch.setattr(Model, "classify", note_thread)

    assert client.post("/invocations", content=photograph, headers=IMAGE).status_code == 200

    assert threads != [threading.main_thread()]


def test_logs_every_request(client: Client, photograph: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    client.get("/ping")
    client.post("/invocations", content=photograph, headers=IMAGE)
    client.post("/invocations", content=b"", headers=IMAGE)
    client.get("/elsewhere")

    lines = [line for line in read_log(capsys) if line["event"] == "request"]
    assert all(line.pop("milliseconds") >= 0 for line in lines)
    assert lines == [
        {"event": "request", "method": "GET", "path": "/ping", "status": 200},
        {"event": "request", "method": "POST", "path": "/invocations", "status": 200, "bytes": len(photograph)},
        {
            "event": "request",
            "method": "POST",
            "path": "/invocations",
            "status": 400,
            "error": "the body is empty; send one JPEG or PNG photograph",
        },
        {
            "event": "request",
            "method": "GET",
            "path": "/elsewhere",
            "status": 404,
            "error": "there is nothing at /elsewhere",
        },
    ]
