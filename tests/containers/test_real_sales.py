import json
import shutil
from pathlib import Path

import pytest

from containers.big_mart.inference.service import SERVICE
from containers.big_mart.preprocessing.__main__ import main as preprocess
from containers.big_mart.training.__main__ import main as train
from containers.shared.job.outputs import Outputs
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.job_roots import write_job
from tests.examples import only_exhaustive


@pytest.mark.slow
@only_exhaustive("the same jobs over made-up sales")
def test_reaches_the_error_of_the_book_on_the_real_file(tmp_path: Path, real_sales: Path) -> None:
    processing = tmp_path / "processing"
    (processing / "input").mkdir(parents=True)
    shutil.copy(real_sales, processing / "input")
    assert preprocess([], tmp_path, Outputs()) == 0
    write_job(
        tmp_path,
        {},
        {"train": processing / "train", "validation": processing / "test", "encoding": processing / "encoding"},
    )

    assert train(["train"], tmp_path, {}, Outputs()) == 0

    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    assert metrics["validation:rmse"] < 1100
    assert metrics["validation:r2"] > 0.55


@pytest.mark.slow
def test_serves_the_file_that_has_no_target(trained: Path, real_sales: Path) -> None:
    endpoint = Endpoint(SERVICE, trained, 1, Traffic(every=False))
    endpoint.load()
    client = Client(endpoint)
    test_rows = real_sales.with_name("Test.csv").read_bytes()

    answer = client.post("/invocations", content=test_rows, headers={"content-type": "text/csv"})

    assert len(answer.text.split()) == 5681
