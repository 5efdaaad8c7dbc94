"""A preprocessing job and a training job that ran once for all tests."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from containers.big_mart.preprocessing.__main__ import main as preprocess
from containers.big_mart.training.__main__ import main as train
from containers.blazingtext.engine.__main__ import main as read
from containers.forecasting.engine.__main__ import main as forecast
from containers.linear_learner.__main__ import main as fit
from containers.shared.job.outputs import Outputs
from containers.xgboost.__main__ import main as grow
from tests.containers.forecasting.demand_files import HORIZON, prepare, write_demand
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
    assert train(["train"], root, {}, Outputs()) == 0
    return root


@pytest.fixture(scope="session")
def boosted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a job that has grown trees over made-up sales in three ranges."""
    root = tmp_path_factory.mktemp("boosted")
    write_sales(root, make_sales(600))
    assert preprocess(["--layout", "label-first", "--bins", "3"], root, Outputs()) == 0
    processing = root / "processing"
    hyperparameters = {
        "objective": "multi:softmax",
        "num_class": "3",
        "num_round": "8",
        "eval_metric": "mlogloss,merror,accuracy,precision,recall,f1",
    }
    channels = {"train": processing / "train", "validation": processing / "test"}
    write_job(root, hyperparameters, channels, content_type="text/csv")
    assert grow(["train"], root, Outputs()) == 0
    return root


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a job that has fitted linear models to made-up sales in three ranges."""
    root = tmp_path_factory.mktemp("fitted")
    write_sales(root, make_sales(600))
    assert preprocess(["--layout", "recordio", "--bins", "3"], root, Outputs()) == 0
    processing = root / "processing"
    hyperparameters = {"predictor_type": "multiclass_classifier", "num_classes": "3", "mini_batch_size": "100"}
    channels = {"train": processing / "train", "validation": processing / "test"}
    write_job(root, hyperparameters, channels, content_type="application/x-recordio-protobuf")
    assert fit(["train"], root, Outputs()) == 0
    return root


@pytest.fixture(scope="session")
def read_texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a job that has learnt the labels of a few messages."""
    root = tmp_path_factory.mktemp("read_texts")
    (root / "texts").mkdir()
    (root / "texts/train.txt").write_text("__label__a one two\n__label__b three four\n" * 50)
    given = {"mode": "supervised", "buckets": "100", "vector_dim": "4"}
    write_job(root, given, {"train": root / "texts", "validation": root / "texts"}, content_type="text/plain")
    assert read(["train"], root, Outputs()) == 0
    return root


@pytest.fixture(scope="session")
def series_channels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folders of a forecasting job's channels, over three made-up series."""
    root = tmp_path_factory.mktemp("preprocessed_demand")
    write_demand(root)
    return prepare(root)


@pytest.fixture(scope="session")
def trained_quantiles(tmp_path_factory: pytest.TempPathFactory, series_channels: Mapping[str, Path]) -> Path:
    """The root of a training job over them."""
    root = tmp_path_factory.mktemp("trained_quantiles")
    write_job(root, {"prediction_length": HORIZON}, series_channels)
    with threadpool_limits(1):
        assert forecast(["train"], root, Outputs()) == 0
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
