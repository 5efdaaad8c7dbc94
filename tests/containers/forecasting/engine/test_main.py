import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from containers.forecasting.engine import fitting
from containers.forecasting.engine.__main__ import main
from containers.shared.job.outputs import Outputs
from headrace.provenance import read_inputs
from headrace.recipes import forecasting
from tests.containers.forecasting.demand_files import HORIZON
from tests.containers.job_roots import list_files, write_job

JOB = {"prediction_length": HORIZON}
QUICK = {**JOB, "calibration_windows": "1"}
SHORT_DAYS = 300


@pytest.fixture(scope="module", autouse=True)
def _few_trees(trained_quantiles: Path) -> Iterator[None]:
    """Jobs of this file grow few trees; the one that it shares with others was there before."""
    assert trained_quantiles.is_dir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "WAYS", [replace(way, max_iter=5) for way in fitting.WAYS])
        yield


def run(root: Path, *arguments: str) -> int:
    return main(arguments or ["train"], root, Outputs())


def fail(root: Path) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root) == 1
    assert not (root / "model").exists()
    return (root / "output/failure").read_text()


@pytest.fixture
def own_channels(series_channels: Mapping[str, Path], tmp_path: Path) -> dict[str, Path]:
    """Channels that a test may spoil."""
    return {
        name: Path(shutil.copytree(source, tmp_path / "channels" / name)) for name, source in series_channels.items()
    }


@pytest.fixture(scope="module")
def short_channels(series_channels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The last days of each series, and those of the test behind them."""
    root = tmp_path_factory.mktemp("short")
    channels = {name: root / name for name in series_channels}
    for name, days in (("train", SHORT_DAYS), ("test", SHORT_DAYS + int(HORIZON))):
        channels[name].mkdir()
        series = map(json.loads, (series_channels[name] / f"{name}.json").read_text().splitlines())
        short = [{"start": "2024-01-01", "target": one["target"][-days:]} for one in series]
        write_series(channels[name] / f"{name}.json", short)
    return channels


def write_series(path: Path, series: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in series))


@pytest.fixture(scope="module")
def trained_quickly(short_channels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a job over short series."""
    root = tmp_path_factory.mktemp("trained_quickly")
    write_job(root, QUICK, short_channels)
    assert run(root) == 0
    return root


def read_evaluation(root: Path) -> dict[str, dict[str, float]]:
    evaluation: dict[str, dict[str, float]] = json.loads((root / "output/data/evaluation.json").read_text())
    return evaluation


def test_writes_model_and_record(trained_quantiles: Path) -> None:
    files = {name for name in list_files(trained_quantiles) if not name.startswith("input/")}

    assert files == {
        "model/model.onnx",
        "model/forecast.json",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }


def test_errs_less_than_the_seasonal_naive_on_days_it_has_not_seen(trained_quantiles: Path) -> None:
    metrics = read_evaluation(trained_quantiles)["metrics"]

    assert metrics["test:smape"] < 0.85 * metrics["baseline:smape"]
    assert metrics["test:mean_wQuantileLoss"] < 0.6 * metrics["baseline:mean_wQuantileLoss"]


def test_reports_every_metric_of_the_recipe_and_two_as_deepar_does(
    tmp_path: Path, short_channels: Mapping[str, Path], trained_quickly: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_job(tmp_path, QUICK, short_channels)
    capsys.readouterr()
    assert run(tmp_path) == 0

    log = capsys.readouterr().out

    found = {name: float(re.findall(pattern, log)[0]) for name, pattern in forecasting.RECIPE.training.metrics.items()}
    assert found == read_evaluation(tmp_path)["metrics"]
    loss = found["test:mean_wQuantileLoss"]
    assert f"#quality_metric: host=algo-1, test mean_wQuantileLoss <loss>={loss:.6f}\n" in log
    assert "not_DeepAR_of_AWS" in log
    for name in ("model/model.onnx", "model/forecast.json", "output/data/evaluation.json"):
        assert (tmp_path / name).read_bytes() == (trained_quickly / name).read_bytes()


def test_records_its_channels_and_ignores_what_says_nothing_to_trees(
    tmp_path: Path, short_channels: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_job(tmp_path, {**QUICK, "time_freq": "D", "epochs": "20", "context_length": "28"}, short_channels)

    assert run(tmp_path) == 0
    assert "hyperparameters_ignored names=context_length,epochs" in capsys.readouterr().err
    record = read_inputs((tmp_path / "output/data/inputs.json").read_bytes())
    assert {name: [file.key for file in files] for name, files in record.items()} == {
        "test": ["test.json"],
        "train": ["train.json"],
    }


@pytest.mark.parametrize(
    ("hyperparameters", "said"),
    [
        ({"horizon": "90"}, "unknown hyperparameter horizon; known are prediction_length, time_freq, test_quantiles"),
        ({"prediction_length": "365"}, "prediction_length: '365' is not a whole number from 1 to 364"),
        ({"time_freq": "H"}, "time_freq: 'H', but this engine forecasts days; use D, and sum finer data up by day"),
        ({"test_quantiles": "[0.1, 0.9]"}, "lacks 0.5, the forecast that sMAPE judges; add it"),
        ({"test_quantiles": "0.5"}, "is not a list of numbers between 0 and 1, such as [0.1, 0.5, 0.9]"),
        ({"test_quantiles": "[0.5, 1.5]"}, "is not a list of numbers between 0 and 1"),
        ({"test_quantiles": "[0.5, 0.5]"}, "must have each quantile once"),
        ({"seed": "-1"}, "seed: '-1' is not a whole number from 0 to 2147483647"),
        ({"calibration_windows": "0"}, "calibration_windows: '0' is not a whole number from 1 to 12"),
    ],
)
def test_refuses_hyperparameters_that_it_cannot_use(
    tmp_path: Path, series_channels: Mapping[str, Path], hyperparameters: dict[str, str], said: str
) -> None:
    write_job(tmp_path, hyperparameters, series_channels)

    assert said in fail(tmp_path)


def test_refuses_to_train_on_the_days_of_the_test(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    shutil.copy(own_channels["test"] / "test.json", own_channels["train"] / "train.json")
    write_job(tmp_path, JOB, own_channels)

    assert fail(tmp_path) == (
        "channel 'test', series 1: its last 28 days begin on 2024-12-04, but channel 'train' goes on to 2024-12-31; "
        "hold the last 28 days out of it"
    )


def test_refuses_history_that_is_too_short(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    for name, days in (("train", 100), ("test", 128)):
        line = json.dumps({"start": "2024-01-01", "target": [5] * days})
        (own_channels[name] / f"{name}.json").write_text(line)
    write_job(tmp_path, JOB, own_channels)

    assert fail(tmp_path) == (
        "the longest series of channel 'train' has 100 days, but forecasts of 28 days need 112; give more history, "
        "or lower prediction_length"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object with start and target, found []"),
        ('{"start": "2024-01-01"}', "target: expected the demand of each day in a list, found None"),
        ('{"start": "today", "target": [1]}', "start: 'today' is not a day such as 2013-01-01"),
        ('{"start": "2024-01-01 13:00:00", "target": [1]}', "is not the beginning of a day from 1800 to 9800"),
        (
            '{"start": "9999-12-25", "target": [1, 2, 3, 4, 5, 6, 7, 8]}',
            "is not the beginning of a day from 1800 to 9800",
        ),
        ('{"start": "2024-01-01", "target": [1, -1]}', "target, day 2: -1 is not a demand"),
        ('{"start": "2024-01-01", "target": ["1"]}', "target, day 1: expected a number, null or \"NaN\", found '1'"),
        ('{"start": "2024-01-01", "target": [1], "cat": ["a"]}', "cat: expected whole numbers from 0 on, found ['a']"),
        ('{"start": "2024-01-01", "target": [1], "dynamic_feat": [[1]]}', "this engine takes no features of your own"),
        ('{"start": "2024-01-01", "target": [1], "price": 3}', "unknown key 'price'; known are start, target, cat"),
    ],
)
def test_names_channel_file_and_line_of_a_series_that_is_wrong(
    tmp_path: Path, own_channels: dict[str, Path], line: str, said: str
) -> None:
    path = own_channels["train"] / "train.json"
    path.write_text(f"{path.read_text()}{line}\n")
    write_job(tmp_path, JOB, own_channels)

    message = fail(tmp_path)

    assert message.startswith("channel 'train', train.json, line 4: ")
    assert said in message


def test_takes_demand_that_is_not_known(tmp_path: Path, short_channels: Mapping[str, Path]) -> None:
    channels = {name: tmp_path / "channels" / name for name in short_channels}
    for name, folder in channels.items():
        folder.mkdir(parents=True)
        series = [json.loads(line) for line in (short_channels[name] / f"{name}.json").read_text().splitlines()]
        for one in series:
            one["target"][200:230] = ["NaN"] * 15 + [None] * 15
        write_series(folder / f"{name}.json", series)
    write_job(tmp_path, QUICK, channels)

    assert run(tmp_path) == 0


def test_forecasts_nothing_where_nothing_is_sold(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    for name in ("train", "test"):
        path = own_channels[name] / f"{name}.json"
        days = len(json.loads(path.read_text().splitlines()[0])["target"])
        path.write_text(json.dumps({"start": "2021-01-01", "target": [0] * days}))
    write_job(tmp_path, QUICK, own_channels)

    assert run(tmp_path) == 0
    assert read_evaluation(tmp_path)["metrics"]["test:smape"] == 0


def test_trains_on_a_history_of_less_than_two_years(trained_quickly: Path) -> None:
    assert str(read_evaluation(trained_quickly)["baseline"]) == "same weekday of the last week"
