"""A preprocessing job and a training job that ran once for all tests."""

from pathlib import Path

import pytest

from containers.big_mart.preprocessing.__main__ import main as preprocess
from containers.big_mart.training.__main__ import main as train
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import make_sales, write_job, write_sales


@pytest.fixture(scope="session")
def preprocessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a preprocessing job over 600 made-up rows."""
    root = tmp_path_factory.mktemp("preprocessed")
    write_sales(root, make_sales(600))
    assert preprocess([], root, Outputs()) == 0
    return root


@pytest.fixture(scope="session")
def channels(preprocessed: Path) -> dict[str, Path]:
    """The folders of the training job's channels."""
    processing = preprocessed / "processing"
    return {
        "train": processing / "train",
        "validation": processing / "test",
        "encoding": processing / "encoding",
    }


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, channels: dict[str, Path]) -> Path:
    """The root of a training job over them with 20 trees."""
    root = tmp_path_factory.mktemp("trained")
    write_job(root, {"n_estimators": "20", "min_samples_leaf": "5"}, channels)
    assert train(["train"], root, Outputs()) == 0
    return root


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout, whose packages its own process can import from there."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def real_sales(repository: Path) -> Path:
    """The public Big Mart file, which is not part of the repository."""
    path = repository.parent / "shared/data/bigmart/Train.csv"
    if not path.is_file():
        pytest.skip("../shared/data/bigmart/Train.csv is absent")
    return path
