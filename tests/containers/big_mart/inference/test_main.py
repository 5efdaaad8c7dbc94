import json
from pathlib import Path

import httpx
import pytest

from containers.big_mart.inference.__main__ import main
from containers.shared.serving.endpoint import MODEL_REFUSED_EXIT
from headrace.loopback import find_free_port
from headrace.recipes import big_mart
from tests.containers.job_roots import any_sales_row
from tests.containers.programs import serving, start_program


def test_refuses_another_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train"]) == 1

    assert capsys.readouterr().err == (
        "expected the one argument 'serve', found 'train'; run the container as `docker run IMAGE serve`\n"
    )


def test_refuses_a_setting_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_SERVE_WORKERS", "many")

    assert main(["serve"]) == 1

    assert "HEADRACE_SERVE_WORKERS: 'many' is not a whole number" in capsys.readouterr().err


@pytest.mark.slow
def test_serves_until_terminated(trained: Path) -> None:
    port = find_free_port()
    row = ",".join(cell for name, cell in any_sales_row().items() if name != "Item_Outlet_Sales")

    with (
        serving(big_mart.INFERENCE, trained, port) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=5)) as client,
    ):
        assert client.get("/ping").status_code == 200
        answer = client.post("/invocations", content=row, headers={"content-type": "text/csv"})
        assert answer.status_code == 200
        assert float(answer.text) > 0

        process.terminate()

        assert process.wait() == 0


@pytest.mark.slow
def test_shows_the_metrics_of_all_workers_whichever_is_asked(trained: Path) -> None:
    port = find_free_port()

    with serving(big_mart.INFERENCE, trained, port, workers=2):
        for _ in range(8):
            assert httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200
        pages = [httpx.get(f"http://127.0.0.1:{port}/metrics").text for _ in range(8)]

    for page in pages:
        assert "headrace_workers_ready 2\n" in page
        assert 'headrace_requests_total{path="/ping",status="200"} 8\n' in page


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ends_well_when_terminated_right_after_loading(trained: Path, workers: int) -> None:
    with serving(big_mart.INFERENCE, trained, find_free_port(), workers) as process:
        process.terminate()

        assert process.wait() == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ends_with_a_reason_when_the_model_cannot_be_loaded(tmp_path: Path, workers: str) -> None:
    settings = {
        "HEADRACE_BIND_HOST": "127.0.0.1",
        "HEADRACE_SERVE_WORKERS": workers,
        "SAGEMAKER_BIND_TO_PORT": str(find_free_port()),
    }

    with start_program(big_mart.INFERENCE, "serve", root=tmp_path, **settings) as process:
        log, _ = process.communicate()

    assert process.returncode == MODEL_REFUSED_EXIT
    assert f"{tmp_path}/model/encoding.json: No such file or directory" in json.loads(log.splitlines()[0])["reason"]
