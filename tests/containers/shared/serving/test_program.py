"""The serving program as a process, with every kind of model: it starts, answers, counts and ends the same way."""

import io
import json
import os
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest
from PIL import Image

from containers.shared.serving import server
from containers.shared.serving.endpoint import BATCH, MODEL_REFUSED_EXIT, REAL_TIME, Patience
from containers.shared.serving.metrics import Board
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.settings import read_server_settings
from headrace.loopback import find_free_port
from headrace.recipes import (
    ContainerImage,
    big_mart,
    blazingtext,
    detection,
    forecasting,
    images,
    linear_learner,
    list_container_images,
    resnet,
    seq2seq,
    xgboost,
)
from tests.containers.detection.detectors import write_model as write_detector
from tests.containers.job_roots import any_sales_row
from tests.containers.programs import serving, start_program
from tests.containers.resnet.networks import write_model
from tests.containers.seq2seq import translators
from tests.examples import IS_EXHAUSTIVE
from tests.patience import PATIENCE_SECONDS

SERVING = [container for container in list_container_images() if container.is_endpoint]
# One program serves all: each answers from one process, and what several do is tried with one of them.
ALONE = [(container, 1) for container in SERVING]
TOGETHER = [(container, 2) for container in (SERVING if IS_EXHAUSTIVE else [big_mart.INFERENCE])]
ENDING = [(container, workers) for container, _ in TOGETHER for workers in (1, 2)]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model, and a request that it answers."""

    container: ContainerImage
    root: Path
    content_type: str
    body: bytes


@pytest.fixture
def served(
    container: ContainerImage,
    trained: Path,
    image_root: Path,
    boosted: Path,
    fitted: Path,
    read_texts: Path,
    trained_quantiles: Path,
    tmp_path: Path,
) -> Served:
    """Each of the models that there are."""
    row = ",".join(cell for name, cell in any_sales_row().items() if name != "Item_Outlet_Sales")
    photograph = io.BytesIO()
    Image.new("RGB", (64, 64)).save(photograph, "PNG")
    return {
        big_mart.INFERENCE: Served(
            container=big_mart.INFERENCE, root=trained, content_type="text/csv", body=row.encode()
        ),
        images.INFERENCE: Served(
            container=images.INFERENCE, root=image_root, content_type="image/png", body=photograph.getvalue()
        ),
        xgboost.IMAGE: Served(container=xgboost.IMAGE, root=boosted, content_type="text/csv", body=b"0," * 9 + b"0"),
        linear_learner.IMAGE: Served(
            container=linear_learner.IMAGE, root=fitted, content_type="text/csv", body=b"0," * 9 + b"0"
        ),
        blazingtext.ENGINE: Served(
            container=blazingtext.ENGINE,
            root=read_texts,
            content_type="application/json",
            body=json.dumps({"instances": ["one two"]}).encode(),
        ),
        forecasting.ENGINE: Served(
            container=forecasting.ENGINE,
            root=trained_quantiles,
            content_type="application/json",
            body=json.dumps({"instances": [{"start": "2024-01-01", "target": [5] * 100}]}).encode(),
        ),
        seq2seq.ENGINE: Served(
            container=seq2seq.ENGINE,
            root=translators.write_model(tmp_path / "translator"),
            content_type="application/json",
            body=b'{"instances": [{"data": "the farmer"}]}',
        ),
        detection.IMAGE: Served(
            container=detection.IMAGE,
            root=write_detector(tmp_path / "detector"),
            content_type="image/png",
            body=photograph.getvalue(),
        ),
        resnet.IMAGE: Served(
            container=resnet.IMAGE,
            root=write_model(tmp_path),
            content_type="image/png",
            body=photograph.getvalue(),
        ),
    }[container]


def test_refuses_another_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert server.main("containers.big_mart.inference", ["train"]) == 1

    assert capsys.readouterr().err == (
        "expected the one argument 'serve', found 'train'; run the container as `docker run IMAGE serve`\n"
    )


def test_refuses_a_setting_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_SERVE_WORKERS", "many")

    assert server.main("containers.big_mart.inference", ["serve"]) == 1

    assert "HEADRACE_SERVE_WORKERS: 'many' is not a whole number" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("container", "workers"), ALONE + TOGETHER, ids=str)
def test_serves_and_counts_over_all_workers_until_terminated(served: Served, workers: int) -> None:
    address = f"http://127.0.0.1:{(port := find_free_port())}"

    with serving(served.container, served.root, port, workers) as process:
        for _ in range(8):
            assert httpx.get(f"{address}/ping").status_code == 200
        answer = httpx.post(
            f"{address}/invocations", content=served.body, headers={"content-type": served.content_type}
        )
        pages = [httpx.get(f"{address}/metrics").text for _ in range(8)]
        process.terminate()

        assert process.wait() == 0

    assert answer.status_code == 200
    for page in pages:
        assert f"headrace_workers_ready {workers}\n" in page
        assert 'headrace_requests_total{path="/ping",status="200"} 8\n' in page
        assert 'headrace_requests_total{path="/invocations",status="200"} 1\n' in page


@pytest.mark.slow
@pytest.mark.parametrize(("container", "workers"), ENDING, ids=str)
def test_ends_well_when_terminated_right_after_loading(served: Served, workers: int) -> None:
    with serving(served.container, served.root, find_free_port(), workers) as process:
        process.terminate()

        assert process.wait() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("container", "workers"), ENDING, ids=str)
def test_ends_with_a_reason_when_the_model_cannot_be_loaded(
    container: ContainerImage, tmp_path: Path, workers: int
) -> None:
    settings = {
        "HEADRACE_BIND_HOST": "127.0.0.1",
        "HEADRACE_SERVE_WORKERS": str(workers),
        "SAGEMAKER_BIND_TO_PORT": str(find_free_port()),
    }

    with start_program(container, "serve", root=tmp_path, **settings) as process:
        log, _ = process.communicate()

    assert process.returncode == MODEL_REFUSED_EXIT
    assert "No such file or directory" in json.loads(log.splitlines()[0])["reason"]


@pytest.mark.parametrize("container", SERVING, ids=str)
def test_names_the_file_of_the_model_that_is_missing(
    container: ContainerImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_ML_ROOT", str(tmp_path))

    with pytest.raises(ModelError):
        server.create_app(f"{container.package}.service", Board(1)).load()

    reason = json.loads(capsys.readouterr().out)["reason"]
    assert f"{tmp_path}/model/" in reason
    assert "No such file or directory" in reason


@pytest.mark.parametrize(("batch", "patience"), [("true", BATCH), ("false", REAL_TIME)])
def test_waits_for_as_long_as_its_caller_does(monkeypatch: pytest.MonkeyPatch, batch: str, patience: Patience) -> None:
    monkeypatch.setenv("SAGEMAKER_BATCH", batch)

    assert server.create_app("containers.big_mart.inference.service", Board(1)).patience == patience


@pytest.mark.slow
def test_sees_at_once_that_a_worker_has_ended() -> None:
    settings = read_server_settings({"HEADRACE_SERVE_WORKERS": "1"})
    worker = server.Worker(server.configure("no.application", settings), [])
    worker.process = get_context("spawn").Process(target=os._exit, args=(MODEL_REFUSED_EXIT,))
    worker.start()
    worker.process.join()

    # Otherwise the supervisor waits a minute for a sign of life that cannot come.
    assert worker.parent_conn.poll(0)
    assert not worker.ping(PATIENCE_SECONDS)
