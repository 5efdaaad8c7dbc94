"""A model is asked golden requests by its own server before it serves."""

import json
import tarfile
from pathlib import Path

import pytest

from containers.big_mart.inference import rehearsal
from tests.containers.job_roots import any_sales_row

ROW = ",".join(cell for name, cell in any_sales_row().items() if name != "Item_Outlet_Sales")
REQUEST = {"id": "juice", "content_type": "text/csv", "body": ROW, "expected": "1500", "tolerance": 1.0}
WRONG = {**REQUEST, "id": "shoes", "expected": "-7", "tolerance": 0}
REFUSED = {**REQUEST, "id": "photograph", "content_type": "image/png"}


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """The folder of a model's archive."""
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(trained / "model", arcname=".")
    return tmp_path


def rehearse(model: Path, *lines: object, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Rehearse, and return the exit code and what SageMaker would show."""
    requests = model / "requests.jsonl"
    requests.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    monkeypatch.setenv("HEADRACE_ML_ROOT", str(model))
    code = rehearsal.main(["--model", str(model / "model.tar.gz"), "--requests", str(requests)])
    message = model / "output/message"
    return code, message.read_text() if message.exists() else ""


@pytest.mark.slow
def test_passes_a_model_that_answers_as_expected(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rehearse(model, REQUEST, monkeypatch=monkeypatch) == (0, "")


@pytest.mark.slow
def test_names_the_requests_that_are_not_answered_as_expected(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, message = rehearse(model, REQUEST, WRONG, REFUSED, monkeypatch=monkeypatch)

    assert code == 1
    assert message.startswith("2 of 3 golden requests are not answered as expected: shoes expected -7, found ")
    assert "photograph got no prediction: status 415" in message


def test_says_that_the_server_has_ended_when_the_model_cannot_be_loaded(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(model / "model.tar.gz", "w:gz"):
        pass

    code, message = rehearse(model, REQUEST, monkeypatch=monkeypatch)

    assert (code, message[:40]) == (1, "the server ended with exit code 3 before")


@pytest.mark.parametrize("text", [b"", b"no archive", b"\x1f\x8b"])
def test_says_that_the_archive_cannot_be_unpacked(model: Path, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (model / "model.tar.gz").write_bytes(text)

    code, message = rehearse(model, REQUEST, monkeypatch=monkeypatch)

    assert code == 1
    assert message.startswith("model.tar.gz: the model cannot be unpacked: ")


def test_unpacks_nothing_outside_of_the_models_folder(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(model / "model.tar.gz", "w:gz") as archive:
        archive.add(model, arcname="../../escaped", recursive=False)

    code, message = rehearse(model, REQUEST, monkeypatch=monkeypatch)

    assert code == 1
    assert "would be extracted" in message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"id": "a"}, "requests.jsonl, line 1: content_type: missing"),
        ("text", "requests.jsonl, line 1: is not a JSON object"),
    ],
)
def test_refuses_requests_that_could_not_be_sent(
    model: Path, line: object, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rehearse(model, line, monkeypatch=monkeypatch) == (1, reason)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [([], "required: --model, --requests"), (["--model", ".", "--requests", "none"], "are the golden requests in the")],
)
def test_says_what_is_missing(
    arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_ML_ROOT", str(tmp_path))

    assert rehearsal.main(arguments) == 1

    assert reason in (tmp_path / "output/failure").read_text()
