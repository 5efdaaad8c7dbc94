import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from containers.big_mart.training import export, program
from containers.big_mart.training.__main__ import main
from containers.shared.job.outputs import Outputs
from headrace.provenance import InputFile, read_inputs
from headrace.recipes import big_mart
from tests.containers.job_roots import list_files, write_job
from tests.containers.programs import start_program

FEW_TREES = {"n_estimators": "3", "min_samples_leaf": "20"}


def run(root: Path, *arguments: str) -> int:
    return main(arguments or ["train"], root, {}, Outputs())


def fail(root: Path, *arguments: str) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, *arguments) == 1
    assert not (root / "model").exists()
    return (root / "output/failure").read_text()


def copy_channels(channels: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Channels that a test may spoil."""
    return {name: Path(shutil.copytree(source, folder / "channels" / name)) for name, source in channels.items()}


@pytest.fixture
def own_channels(channels: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    return copy_channels(channels, tmp_path)


def test_writes_model_encoding_and_evaluation(trained: Path, channels: dict[str, Path]) -> None:
    files = {name for name in list_files(trained) if not name.startswith("input/")}

    assert files == {
        "model/model.onnx",
        "model/encoding.json",
        "output/data/evaluation.json",
        "output/data/inputs.json",
        "output/data/profile.json",
    }
    assert (trained / "model/encoding.json").read_bytes() == (channels["encoding"] / "encoding.json").read_bytes()


def test_carries_on_what_the_preprocessing_job_has_read(trained: Path, preprocessed: Path) -> None:
    sales = (preprocessed / "processing/input/sales.csv").read_bytes()
    content = (trained / "output/data/inputs.json").read_bytes()

    assert read_inputs(content) == {"raw": [InputFile("sales.csv", hashlib.sha256(sales).hexdigest(), len(sales))]}


def test_carries_on_what_the_rows_look_like(trained: Path, preprocessed: Path) -> None:
    made = (preprocessed / "processing/encoding/profile.json").read_bytes()

    assert (trained / "output/data/profile.json").read_bytes() == made


def test_trains_where_no_preprocessing_job_says_what_rows_look_like(
    tmp_path: Path, own_channels: dict[str, Path]
) -> None:
    (own_channels["encoding"] / "profile.json").unlink()
    write_job(tmp_path, FEW_TREES, own_channels)

    assert run(tmp_path) == 0
    assert not (tmp_path / "output/data/profile.json").exists()


def test_records_its_own_channels_where_no_preprocessing_job_says_what_it_has_read(
    tmp_path: Path, own_channels: dict[str, Path]
) -> None:
    (own_channels["encoding"] / "inputs.json").unlink()
    write_job(tmp_path, FEW_TREES, own_channels)

    assert run(tmp_path) == 0

    found = read_inputs((tmp_path / "output/data/inputs.json").read_bytes())
    assert {name: [file.key for file in files] for name, files in found.items()} == {
        "encoding": ["encoding.json"],
        "train": ["train_features.csv", "train_labels.csv"],
        "validation": ["test_features.csv", "test_labels.csv"],
    }


def test_refuses_a_record_of_the_preprocessing_job_that_was_changed(
    tmp_path: Path, own_channels: dict[str, Path]
) -> None:
    record = own_channels["encoding"] / "inputs.json"
    record.write_bytes(record.read_bytes().replace(b"sales.csv", b"other.csv"))
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        "channel 'encoding', inputs.json: not a record of inputs as jobs write it; the file was changed; "
        "preprocess again"
    )


def test_refuses_what_does_not_fit_into_memory_before_fitting(
    tmp_path: Path, channels: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "find_free_memory", lambda: 200_000)
    write_job(tmp_path, {"n_estimators": "500", "min_samples_leaf": "1"}, channels)

    assert fail(tmp_path).startswith("growing 500 trees of about 340500 nodes in all from 540 rows needs about 0.4 GiB")
    assert "trees_done" not in capsys.readouterr().out


def test_logs_metrics_that_the_regular_expressions_find(
    tmp_path: Path, channels: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_job(tmp_path, FEW_TREES, channels)

    assert run(tmp_path) == 0

    log = capsys.readouterr().out
    found = {
        name: [float(text) for text in re.findall(regex, log)]
        for name, regex in big_mart.RECIPE.training.metrics.items()
    }
    evaluation = json.loads((tmp_path / "output/data/evaluation.json").read_text())
    assert found == {name: [pytest.approx(value, abs=1e-6)] for name, value in evaluation["metrics"].items()}
    assert re.search(r"^metric validation:rmse=\d+\.\d{6}$", log, re.MULTILINE)


def test_beats_the_baseline(trained: Path) -> None:
    evaluation = json.loads((trained / "output/data/evaluation.json").read_text())

    assert evaluation["metrics"]["validation:rmse"] < 0.8 * evaluation["metrics"]["baseline:rmse"]
    assert evaluation["metrics"]["validation:r2"] > 0.4
    assert abs(evaluation["metrics"]["baseline:r2"]) < 0.2
    assert evaluation["rows"] == {"train": 540, "validation": 60}


def test_records_the_hyperparameters_it_used(trained: Path) -> None:
    evaluation = json.loads((trained / "output/data/evaluation.json").read_text())

    assert evaluation["hyperparameters"] == {
        "n_estimators": 20,
        "min_samples_leaf": 5,
        "max_features": 0.5,
        "max_depth": None,
        "seed": 42,
    }


def test_tells_how_far_the_forest_has_grown(
    tmp_path: Path, channels: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_job(tmp_path, {"n_estimators": "3"}, channels)

    run(tmp_path)

    assert re.findall(r"^trees_done trees=(\d+) seconds=\d+\.\d$", capsys.readouterr().out, re.MULTILINE) == [
        "1",
        "2",
        "3",
    ]


def test_gives_the_same_model_when_run_again(tmp_path: Path, channels: dict[str, Path], trained: Path) -> None:
    write_job(tmp_path, {"n_estimators": "20", "min_samples_leaf": "5"}, channels)

    run(tmp_path)

    assert (tmp_path / "model/model.onnx").read_bytes() == (trained / "model/model.onnx").read_bytes()


def test_reads_several_files_of_a_channel(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    for kind in ("features", "labels"):
        file = own_channels["train"] / f"train_{kind}.csv"
        (own_channels["train"] / "more").mkdir(exist_ok=True)
        shutil.copy(file, own_channels["train"] / f"more/other_{kind}.csv")
    write_job(tmp_path, FEW_TREES, own_channels)

    run(tmp_path)

    assert json.loads((tmp_path / "output/data/evaluation.json").read_text())["rows"]["train"] == 1080


@pytest.mark.parametrize("channel", ["train", "validation", "encoding"])
def test_names_an_empty_channel_and_likely_causes(tmp_path: Path, own_channels: dict[str, Path], channel: str) -> None:
    shutil.rmtree(own_channels[channel])
    own_channels[channel].mkdir()
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        f"channel {channel!r} is empty: there is no file in {tmp_path}/input/data/{channel}; likely causes: its S3Uri "
        "names a prefix without objects (a misspelt name, or the step that writes it has not run), a manifest without "
        "entries, or a file system DirectoryPath that is not the data's"
    )


def test_names_a_channel_that_the_job_does_not_have(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    del own_channels["validation"]
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        "the job has no channel 'validation', only 'train', 'encoding'; add it to the job's InputDataConfig"
    )


def test_refuses_a_channel_without_features(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    write_job(tmp_path, FEW_TREES, {**own_channels, "train": own_channels["encoding"]})

    assert fail(tmp_path) == (
        "channel 'train' has no file named *_features.csv; it has encoding.json, inputs.json, profile.json; "
        "point it at an output of the preprocessing job"
    )


def test_refuses_features_without_labels(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    (own_channels["train"] / "train_labels.csv").unlink()
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        "channel 'train' has train_features.csv but no train_labels.csv beside it; "
        "copy both outputs of the preprocessing job"
    )


def test_refuses_a_channel_without_encoding(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    write_job(tmp_path, FEW_TREES, {**own_channels, "encoding": own_channels["train"]})

    assert fail(tmp_path) == (
        "channel 'encoding' has no encoding.json; it has train_features.csv, train_labels.csv; "
        "point it at the encoding output of the preprocessing job"
    )


def test_refuses_an_encoding_of_another_version(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    path = own_channels["encoding"] / "encoding.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        "channel 'encoding', encoding.json: format 'headrace-encoding' version 2, but this program reads "
        "'headrace-encoding' version 1; preprocess again with the same release"
    )


@pytest.mark.parametrize("content", ["not JSON", "[]", "{}"])
def test_refuses_a_file_that_is_no_encoding(tmp_path: Path, own_channels: dict[str, Path], content: str) -> None:
    (own_channels["encoding"] / "encoding.json").write_text(content)
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path).startswith("channel 'encoding', encoding.json: not an encoding (")


def test_refuses_labels_of_another_number_than_features(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    path = own_channels["validation"] / "test_labels.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-2]))
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        "channel 'validation': test_features.csv has 60 rows, but test_labels.csv has 58; "
        "use the two files of one preprocessing run"
    )


@pytest.mark.parametrize("cell", ["abc", "", "nan", "inf"])
def test_says_where_a_feature_is_no_finite_number(tmp_path: Path, own_channels: dict[str, Path], cell: str) -> None:
    path = own_channels["train"] / "train_features.csv"
    lines = path.read_text().splitlines()
    lines[2] = ",".join([lines[2].split(",")[0], cell, *lines[2].split(",")[2:]])
    path.write_text("\n".join(lines))
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        f"channel 'train', train_features.csv, line 3, column 2: expected a finite number, found {cell!r}; "
        "files have no header"
    )


@pytest.mark.parametrize(("line", "found"), [("1,2,3", 3), ("1" + ",1" * 10, 11)], ids=["too few", "too many"])
def test_says_where_features_are_not_those_of_the_encoding(
    tmp_path: Path, own_channels: dict[str, Path], line: str, found: int
) -> None:
    path = own_channels["train"] / "train_features.csv"
    path.write_text(f"{line}\n{path.read_text()}")
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == (
        f"channel 'train', train_features.csv, line 1: expected 10 numbers, found {found}; "
        "features are those of encoding.json, and a row has one label"
    )


def test_refuses_an_empty_file(tmp_path: Path, own_channels: dict[str, Path]) -> None:
    (own_channels["train"] / "train_features.csv").write_text("")
    write_job(tmp_path, FEW_TREES, own_channels)

    assert fail(tmp_path) == "channel 'train', train_features.csv: the file is empty; check the job that wrote it"


def test_refuses_another_command(tmp_path: Path) -> None:
    assert fail(tmp_path, "serve") == (
        "expected the one argument 'train', found 'serve'; run the container as `docker run IMAGE train`"
    )


def test_reports_an_internal_error_and_leaves_nothing(
    tmp_path: Path,
    channels: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_job(tmp_path, FEW_TREES, channels)

    def break_down(*_: object) -> str:
        raise export.ExportError("differs")

    monkeypatch.setattr(program, "check_export", break_down)

    assert run(tmp_path) == 2

    assert (tmp_path / "output/failure").read_text() == "InternalError: ExportError: differs"
    assert not (tmp_path / "model").exists()
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
def test_ends_with_143_and_leaves_no_model_when_terminated(tmp_path: Path, channels: dict[str, Path]) -> None:
    # Minutes of work that need little memory.
    write_job(tmp_path, {"n_estimators": "20000", "max_depth": "1"}, channels)
    with start_program(big_mart.TRAINING, "train", root=tmp_path) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("hyperparameters ")
        assert process.stdout.readline().startswith("data_read ")

        process.terminate()

        assert process.wait() == 143
    assert not (tmp_path / "model").exists()
