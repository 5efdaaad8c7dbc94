import json
import re
import shutil
from pathlib import Path

import pytest

from containers.images.training import program
from headrace.recipes import images
from tests.containers.images.training.image_roots import (
    CHANNELS,
    fail,
    list_rows,
    read_evaluation,
    run,
    write_image_job,
    write_small_job,
)
from tests.containers.job_roots import list_files
from tests.containers.programs import start_program


@pytest.fixture
def own_photographs(photographs: Path, tmp_path: Path) -> Path:
    """Photographs that a test may spoil."""
    return Path(shutil.copytree(photographs, tmp_path / "photographs"))


def test_writes_classifier_weights_and_evaluation(trained_images: Path) -> None:
    files = {name for name in list_files(trained_images) if not name.startswith(("input/", "lists/"))}

    assert {name for name in files if "/lists/" not in name} == {
        "model/classifier.json",
        "model/weights.npz",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }


def test_logs_metrics_that_the_regular_expressions_find(
    tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_job(tmp_path, photographs)

    assert run(tmp_path) == 0

    log = capsys.readouterr().out
    found = {
        name: [float(text) for text in re.findall(regex, log)] for name, regex in images.RECIPE.training.metrics.items()
    }
    assert found == {name: [value] for name, value in read_evaluation(tmp_path)["metrics"].items()}
    assert re.search(r"^metric validation:accuracy=[01]\.\d{6}$", log, re.MULTILINE)


def test_beats_the_baseline(trained_images: Path) -> None:
    evaluation = read_evaluation(trained_images)

    assert evaluation["metrics"]["baseline:accuracy"] == 0.25
    assert evaluation["metrics"]["validation:accuracy"] > 0.5
    assert evaluation["photographs"] == {"train": 36, "validation": 12, "bad": 0}


def test_reports_the_confusion_that_the_scores_follow_from(trained_images: Path) -> None:
    evaluation = read_evaluation(trained_images)
    confusion = evaluation["confusion"]

    assert [sum(row) for row in confusion] == [3] * 4
    right = sum(row[number] for number, row in enumerate(confusion)) / 12
    assert evaluation["metrics"]["validation:accuracy"] == pytest.approx(right, abs=1e-6)
    assert evaluation["metrics"]["validation:recall"] == pytest.approx(right, abs=1e-6)


def test_names_the_classes_by_the_file_beside_the_training_list(trained_images: Path) -> None:
    labels = ["ball", "cross", "gear", "kite"]

    assert json.loads((trained_images / "model/classifier.json").read_text())["labels"] == labels
    assert read_evaluation(trained_images)["labels"] == labels


def test_names_the_classes_by_their_numbers_otherwise(tmp_path: Path, photographs: Path) -> None:
    write_small_job(tmp_path, photographs)

    run(tmp_path)

    assert json.loads((tmp_path / "model/classifier.json").read_text())["labels"] == ["0", "1", "2", "3"]


def test_records_the_hyperparameters_it_used(trained_images: Path) -> None:
    assert read_evaluation(trained_images)["hyperparameters"] == {
        "image_size": 96,
        "inverse_regularization": 10.0,
        "mirror": True,
        "max_bad_photographs": 0,
    }


def test_gives_the_same_model_when_run_again(tmp_path: Path, photographs: Path) -> None:
    for name in ("first", "second"):
        write_small_job(tmp_path / name, photographs)
        run(tmp_path / name)

    for file in ("classifier.json", "weights.npz"):
        assert (tmp_path / "first/model" / file).read_bytes() == (tmp_path / "second/model" / file).read_bytes()


def test_tells_two_classes_apart(tmp_path: Path, photographs: Path) -> None:
    rows = [row for row in list_rows(photographs, range(12)) if row[1] in (0, 1)]
    held_out = {2, 5, 8, 11}
    write_image_job(
        tmp_path,
        photographs,
        train=[row for i, row in enumerate(rows) if i % 12 not in held_out],
        validation=[row for i, row in enumerate(rows) if i % 12 in held_out],
    )

    run(tmp_path)

    assert read_evaluation(tmp_path)["metrics"]["validation:accuracy"] >= 0.75


def test_leaves_its_channels_as_they_are(tmp_path: Path, own_photographs: Path) -> None:
    write_small_job(tmp_path, own_photographs)
    before = {
        path: path.stat().st_mtime_ns for folder in ("photographs", "lists") for path in tmp_path.glob(f"{folder}/**/*")
    }

    run(tmp_path)

    after = {
        path: path.stat().st_mtime_ns for folder in ("photographs", "lists") for path in tmp_path.glob(f"{folder}/**/*")
    }
    assert after == before


@pytest.mark.parametrize("channel", CHANNELS)
def test_names_a_channel_that_the_job_does_not_have(tmp_path: Path, photographs: Path, channel: str) -> None:
    others = [name for name in CHANNELS if name != channel]
    write_image_job(tmp_path, photographs, train="", validation="", channels=others)

    assert fail(tmp_path) == (
        f"the job has no channel {channel!r}, only {', '.join(map(repr, others))}; add it to the job's InputDataConfig"
    )


def test_names_an_empty_channel_and_likely_causes(tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    write_image_job(tmp_path, tmp_path / "photographs", train="", validation="")

    assert fail(tmp_path) == (
        f"channel 'train' is empty: there is no file in {tmp_path}/input/data/train; likely causes: its S3Uri "
        "names a prefix without objects (a misspelt name, or the step that writes it has not run), a manifest without "
        "entries, or a file system DirectoryPath that is not the data's"
    )


def test_refuses_images_that_cannot_be_used(
    tmp_path: Path, own_photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("ball/ball_0001.jpg", b"no image"), ("kite/kite_0004.jpg", b"")):
        (own_photographs / name).write_bytes(content)
    write_small_job(tmp_path, own_photographs, max_bad_photographs="1")

    assert fail(tmp_path) == (
        "2 photographs cannot be used, more than max_bad_photographs=1: ball/ball_0001.jpg of channel 'train' (neither "
        "a JPEG nor a PNG file), kite/kite_0004.jpg of channel 'validation' (neither a JPEG nor a PNG file); replace "
        "them, remove their rows, or raise max_bad_photographs"
    )
    assert capsys.readouterr().err.startswith(
        "photograph_skipped list=train.lst path=ball/ball_0001.jpg reason='neither a JPEG nor a PNG file'\n"
        "photograph_skipped list=validation.lst path=kite/kite_0004.jpg"
    )


def test_leaves_out_as_many_bad_images_as_allowed(tmp_path: Path, own_photographs: Path) -> None:
    (own_photographs / "ball/ball_0001.jpg").write_bytes(b"no image")
    write_small_job(tmp_path, own_photographs, max_bad_photographs="1")

    assert run(tmp_path) == 0

    assert read_evaluation(tmp_path)["photographs"] == {"train": 11, "validation": 8, "bad": 1}


def test_refuses_a_class_whose_training_images_are_all_bad(tmp_path: Path, own_photographs: Path) -> None:
    for number in (1, 2, 3):
        (own_photographs / f"cross/cross_000{number}.jpg").write_bytes(b"no image")
    write_small_job(tmp_path, own_photographs, max_bad_photographs="3")

    assert fail(tmp_path).startswith("no training photograph of class 1 can be used: cross/cross_0001.jpg of channel")


def test_refuses_a_validation_channel_whose_images_are_all_bad(tmp_path: Path, own_photographs: Path) -> None:
    (own_photographs / "ball/ball_0004.jpg").write_bytes(b"no image")
    write_image_job(
        tmp_path,
        own_photographs,
        train=list_rows(own_photographs, range(3)),
        validation=[(1, 0, "ball/ball_0004.jpg")],
        hyperparameters={"max_bad_photographs": "9"},
    )

    assert fail(tmp_path).startswith("no validation photograph can be used: ball/ball_0004.jpg of channel 'validation'")


def test_refuses_another_command(tmp_path: Path) -> None:
    assert fail(tmp_path, "serve") == (
        "expected the one argument 'train', found 'serve'; run the container as `docker run IMAGE train`"
    )


def test_reports_an_internal_error_and_leaves_nothing(
    tmp_path: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_job(tmp_path, photographs)

    def break_down(*_: object) -> bytes:
        raise RuntimeError("broken")

    monkeypatch.setattr(program, "dump_weights", break_down)

    assert run(tmp_path) == 2

    assert (tmp_path / "output/failure").read_text() == "InternalError: RuntimeError: broken"
    assert not (tmp_path / "model").exists()
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
def test_ends_with_143_and_leaves_no_model_when_terminated(tmp_path: Path, photographs: Path) -> None:
    rows = list_rows(photographs, range(12))
    write_image_job(
        tmp_path, photographs, train=[(index, *rows[index % 48][1:]) for index in range(20_000)], validation=rows
    )
    with start_program(images.TRAINING, "train", root=tmp_path) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("hyperparameters ")
        assert process.stdout.readline() == "lists_read train=20000 validation=48 classes=4\n"

        process.terminate()

        assert process.wait() == 143
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_recognises_most_real_photographs(tmp_path: Path, real_images: Path) -> None:
    write_image_job(
        tmp_path,
        real_images,
        train=list_rows(real_images, range(10)),
        validation=list_rows(real_images, range(10, 14)),
    )

    assert run(tmp_path) == 0

    metrics = read_evaluation(tmp_path)["metrics"]
    assert metrics["baseline:accuracy"] == pytest.approx(1 / 12, abs=1e-6)
    assert metrics["validation:accuracy"] > 0.65
    assert metrics["validation:top5_accuracy"] > 0.9
