"""The endpoint answers in the form of the built-in object detection, without PyTorch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from containers.detection import contract
from containers.detection.export import dump_detector
from containers.detection.service import SERVICE
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.detection.detectors import CLASSES, list_scenes, write_model

JPEG = {"content-type": "image/jpeg"}


def open_client(root: Path) -> Client:
    endpoint = Endpoint(SERVICE, root, 1, Traffic(every=False))
    endpoint.load()
    return Client(endpoint)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return open_client(write_model(tmp_path))


@pytest.fixture(scope="module")
def photograph() -> bytes:
    return list_scenes(1)[0][0]


def test_answers_with_objects_the_surest_first(client: Client, photograph: bytes) -> None:
    answer = client.post("/invocations", content=photograph, headers=JPEG)

    assert answer.headers["content-type"] == "application/json"
    rows = answer.json()["prediction"]
    assert rows
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    for label, score, left, top, right, bottom in rows:
        assert label in range(CLASSES)
        assert 0 < score <= 1
        assert 0 <= left <= right <= 1
        assert 0 <= top <= bottom <= 1


def test_answers_the_same_on_a_line_and_to_every_content_type(client: Client, photograph: bytes) -> None:
    plain = client.post("/invocations", content=photograph, headers=JPEG).json()
    line = client.post("/invocations", content=photograph, headers={**JPEG, "accept": "application/jsonlines"})
    image = client.post("/invocations", content=photograph, headers={"content-type": "application/x-image"})

    assert line.text.endswith("\n")
    assert json.loads(line.text) == plain == image.json()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no image", "the body cannot be decoded: neither a JPEG nor a PNG file"),
        (b"", "the body is empty; send one JPEG or PNG photograph"),
    ],
)
def test_says_why_it_cannot_answer(client: Client, content: bytes, reason: str) -> None:
    answer = client.post("/invocations", content=content, headers=JPEG)

    assert (answer.status_code, answer.json()) == (400, {"error": reason})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.onnx", b"not a network", "not the one that detector.json belongs to; deploy both of one job"),
        ("detector.json", b"{}", "not what training writes: KeyError"),
        ("detector.json", b'{"format": "headrace-resnet", "version": 1}', "format 'headrace-resnet' version 1"),
    ],
)
def test_refuses_a_model_that_is_not_ours(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    write_model(tmp_path)
    (tmp_path / "model" / name).write_bytes(content)

    with pytest.raises(ModelError, match=reason):
        open_client(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"classes": 5}, "detector.json has 5 classes; deploy both of one job"),
        ({"classes": "x"}, "ValueError"),
        ({"nms_threshold": float("nan")}, "nms_threshold nan"),
        ({"nms_threshold": 0}, "nms_threshold 0"),
    ],
)
def test_refuses_a_description_that_does_not_fit(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    write_model(tmp_path)
    path = tmp_path / "model/detector.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    with pytest.raises(ModelError, match=reason):
        open_client(tmp_path)


def spoil_bias(weights: dict[str, NDArray[np.float32]]) -> None:
    weights["head.bias"][0] = np.nan


def test_refuses_a_network_with_numbers_that_are_none(tmp_path: Path) -> None:
    write_model(tmp_path, spoil=spoil_bias)

    with pytest.raises(ModelError, match="it answers with numbers that are not finite"):
        open_client(tmp_path)


def test_refuses_a_network_that_takes_something_else(tmp_path: Path) -> None:
    write_model(tmp_path)
    path = tmp_path / "model/model.onnx"
    content = path.read_bytes().replace(contract.INPUT_NAME.encode(), b"phonographs")
    path.write_bytes(content)
    (tmp_path / "model/detector.json").write_text(dump_detector(CLASSES, 0.45, content))

    with pytest.raises(ModelError, match="it fails on a photograph"):
        open_client(tmp_path)


def test_serves_without_importing_what_only_training_needs() -> None:
    script = "import sys, containers.detection.service; print(sorted({'torch', 'onnx'} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
