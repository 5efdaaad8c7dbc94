"""The endpoint answers in the forms of the built-in image classification, without PyTorch."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from containers.resnet.service import SERVICE
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.resnet.networks import write_model

IMAGE = {"content-type": "application/x-image"}


def open_client(root: Path) -> Client:
    endpoint = Endpoint(SERVICE, root, 1, Traffic(every=False))
    endpoint.load()
    return Client(endpoint)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return open_client(write_model(tmp_path))


@pytest.fixture
def photograph() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_answers_with_a_list_of_probabilities(client: Client, photograph: bytes) -> None:
    answer = client.post("/invocations", content=photograph, headers=IMAGE)

    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()) == 3
    assert sum(answer.json()) == pytest.approx(1, abs=1e-5)


def test_answers_the_same_on_a_line_and_to_every_content_type(client: Client, photograph: bytes) -> None:
    plain = client.post("/invocations", content=photograph, headers=IMAGE).json()
    line = client.post("/invocations", content=photograph, headers={**IMAGE, "accept": "application/jsonlines"})

    assert line.text.endswith("\n")
    assert json.loads(line.text) == {"prediction": plain}
    assert client.post("/invocations", content=photograph, headers={"content-type": "image/png"}).json() == plain


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no image", "the body cannot be decoded: neither a JPEG nor a PNG file"),
        (b"", "the body is empty; send one JPEG or PNG photograph"),
    ],
)
def test_says_why_it_cannot_answer(client: Client, content: bytes, reason: str) -> None:
    answer = client.post("/invocations", content=content, headers=IMAGE)

    assert (answer.status_code, answer.json()) == (400, {"error": reason})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.onnx", b"not a network", "not the one that classes.json belongs to; deploy both of one job"),
        ("classes.json", b"{}", "not what training writes: KeyError"),
        ("classes.json", b'{"format": "other", "version": 1}', "format 'other' version 1"),
    ],
)
def test_refuses_a_model_that_is_not_ours(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    write_model(tmp_path)
    (tmp_path / "model" / name).write_bytes(content)

    with pytest.raises(ModelError, match=reason):
        open_client(tmp_path)


def test_refuses_names_of_another_number_of_classes(tmp_path: Path) -> None:
    write_model(tmp_path)
    path = tmp_path / "model/classes.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "labels": ["one"]}))

    with pytest.raises(ModelError, match=r"it has 3 classes, and classes\.json names 1"):
        open_client(tmp_path)


def test_serves_without_importing_what_only_training_needs() -> None:
    script = "import sys, containers.resnet.service; print(sorted({'torch', 'onnx'} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
