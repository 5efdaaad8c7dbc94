from pathlib import Path

import pytest

from containers.big_mart.training import memory
from containers.big_mart.training.hyperparameters import Hyperparameters
from containers.shared.job.training_failures import JobError

GIB = 2**30


def test_refuses_channels_that_are_too_large_to_read(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/train_features.csv").write_bytes(b"1" * 1000)

    memory.check_reading([tmp_path / "train"], 1200)
    with pytest.raises(JobError, match=r"^reading channels train needs about 0\.0 GiB of memory, but"):
        memory.check_reading([tmp_path / "train"], 1199)


def test_refuses_a_forest_that_is_too_large_to_grow() -> None:
    with pytest.raises(JobError) as raised:
        memory.check_fitting(8_500_000, Hyperparameters(min_samples_leaf=1), threads=4, free=16 * GIB)

    assert str(raised.value) == (
        "growing 500 trees of about 5371999500 nodes in all from 8500000 rows needs about 7005.8 GiB of memory, but "
        "16.0 GiB are free; choose an instance type with more memory, raise min_samples_leaf, or lower max_depth or "
        "n_estimators"
    )


@pytest.mark.parametrize(
    "hyperparameters", [Hyperparameters(min_samples_leaf=50_000), Hyperparameters(min_samples_leaf=1, max_depth=8)]
)
def test_accepts_a_smaller_forest_of_the_same_rows(hyperparameters: Hyperparameters) -> None:
    memory.check_fitting(8_500_000, hyperparameters, threads=4, free=16 * GIB)


def test_refuses_nothing_where_the_memory_is_unknown() -> None:
    memory.check_fitting(8_500_000, Hyperparameters(min_samples_leaf=1), threads=4, free=None)
