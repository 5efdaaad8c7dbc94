"""Photographs and their classes come from lists or from image RecordIO alike."""

import json
import math
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from containers.resnet.reading import Examples, list_lists, read_examples, read_labels
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import read_job
from headrace.channels import RecordWrapper
from headrace.recordio import ImageRecord, make_pipe, send_objects, write_images
from headrace.workloads import photographs
from tests.containers.job_roots import write_job
from tests.containers.resnet.networks import CLASSES, SIDE, write_photographs_job, write_records_job


def read(root: Path, channel: str = "train") -> Examples:
    return read_examples(root, read_job(root), channel, JobInputs(), side=SIDE, classes=CLASSES)


def refuse(root: Path) -> str:
    with pytest.raises(TrainingDataError) as refused:
        read(root)
    return str(refused.value)


def test_reads_the_same_from_files_and_from_records(tmp_path: Path) -> None:
    write_photographs_job(tmp_path / "files")
    write_records_job(tmp_path / "records")

    for channel in ("train", "validation"):
        files, records = (read(tmp_path / name, channel) for name in ("files", "records"))
        assert np.array_equal(files.photographs, records.photographs)
        assert np.array_equal(files.classes, records.classes)
        assert files.photographs.shape[1:] == (SIDE, SIDE, 3)


def test_takes_down_what_it_reads(tmp_path: Path) -> None:
    write_photographs_job(tmp_path)
    inputs = JobInputs()

    read_examples(tmp_path, read_job(tmp_path), "train", inputs, side=SIDE, classes=CLASSES)

    assert inputs.dump().count(b'"key":"ball/') > 0


def test_lists_what_names_photographs_and_classes(tmp_path: Path) -> None:
    channels = write_photographs_job(tmp_path / "files")
    write_records_job(tmp_path / "records")

    found = list(list_lists(tmp_path / "files", read_job(tmp_path / "files")))

    assert [(folder.name, path.name) for folder, path in found] == [
        ("train_lst", "train_lst.lst"),
        ("validation_lst", "validation_lst.lst"),
        ("train_lst", "classes.txt"),
    ]
    (channels["train_lst"] / "classes.txt").unlink()
    assert len(list(list_lists(tmp_path / "files", read_job(tmp_path / "files")))) == 2
    assert not list(list_lists(tmp_path / "records", read_job(tmp_path / "records")))


def test_names_the_classes_as_the_file_beside_the_list(tmp_path: Path) -> None:
    channels = write_photographs_job(tmp_path)
    job = read_job(tmp_path)

    assert read_labels(tmp_path, job, CLASSES) == ["ball", "cross", "gear"]
    with pytest.raises(TrainingDataError, match=r"'train_lst', classes.txt: 3 different names for 4 classes"):
        read_labels(tmp_path, job, 4)
    (channels["train_lst"] / "classes.txt").unlink()
    assert read_labels(tmp_path, job, CLASSES) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1\t3\tball/ball_0001.jpg", "class 3 is not one of 0 to 2, which num_classes announces"),
        ("1\t0\tball/none.jpg", "ball/none.jpg: channel 'train' has no such photograph; check the path"),
        ("1\t0\t../away.jpg", "../away.jpg"),
        ("1\t0\ttext.jpg", "text.jpg: neither a JPEG nor a PNG file; replace it, or remove it from the list"),
        ("1\tx\tball/ball_0001.jpg", "train_lst.lst"),
    ],
)
def test_names_the_row_that_cannot_be_used(tmp_path: Path, row: str, message: str) -> None:
    channels = write_photographs_job(tmp_path)
    (channels["train"] / "text.jpg").write_text("no photograph")
    (channels["train_lst"] / "train_lst.lst").write_text(f"{row}\n")

    refused = refuse(tmp_path)

    assert message in refused
    assert "train_lst" in refused


def test_refuses_two_lists_and_none(tmp_path: Path) -> None:
    channels = write_photographs_job(tmp_path)
    listed = channels["train_lst"] / "train_lst.lst"

    shutil.copy(listed, listed.with_name("other.lst"))
    assert refuse(tmp_path).startswith("channel 'train_lst' has 2 files named *.lst, expected one; it has classes.txt")
    listed.with_name("other.lst").unlink()
    listed.write_text("")
    assert refuse(tmp_path) == "channel 'train' has no photographs; check the step that wrote it"


def test_names_the_record_that_cannot_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    write_job(tmp_path, {}, {"train": folder}, content_type="application/x-recordio")

    write_images(folder / "a.rec", [ImageRecord(7, (0.0, 1.0), b"\xff\xd8")])
    assert refuse(tmp_path) == "channel 'train', a.rec: photograph 7 has 2 labels; classes are one"
    write_images(folder / "a.rec", [ImageRecord(7, (0.5,), b"\xff\xd8")])
    assert "photograph 7: class 0.5 is not one of 0 to 2" in refuse(tmp_path)
    write_images(folder / "a.rec", [ImageRecord(7, (math.nan,), b"\xff\xd8")])
    assert "photograph 7: class nan is not one of 0 to 2" in refuse(tmp_path)
    write_images(folder / "a.rec", [ImageRecord(7, (math.inf,), b"\xff\xd8")])
    assert "photograph 7: class inf is not one of 0 to 2" in refuse(tmp_path)
    (folder / "a.rec").write_bytes(b"1,2,3,4")
    assert refuse(tmp_path).startswith("channel 'train': ")


def send(root: Path, *records: bytes, wrapper: str = "RecordIO") -> None:
    """Lay out a job whose training channel is a stream, and send the records once."""
    config = root / "input/config"
    config.mkdir(parents=True)
    data = root / "input/data"
    data.mkdir()
    described = {"TrainingInputMode": "Pipe", "ContentType": "application/x-recordio", "RecordWrapperType": wrapper}
    (config / "inputdataconfig.json").write_text(json.dumps({"train": described}))
    (config / "hyperparameters.json").write_text("{}")
    (config / "resourceconfig.json").write_text("{}")
    pipe = make_pipe("train", 0, data)
    arguments = (pipe, records, RecordWrapper.RECORD_IO)
    threading.Thread(target=send_objects, args=arguments, daemon=True).start()


def read_sent(root: Path) -> Examples:
    job = read_job(root, reads_streams=True)
    return read_examples(root, job, "train", JobInputs(), side=SIDE, classes=CLASSES)


def draw(folder: Path) -> list[bytes]:
    photographs.make_photographs(folder, classes=CLASSES, per_class=1)
    return [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))]


def test_reads_an_augmented_manifest_from_its_pipe(tmp_path: Path) -> None:
    drawn = draw(tmp_path / "drawn")

    send(tmp_path / "job", drawn[0], b"0", drawn[1], b'"2"', drawn[2], b"1")

    examples = read_sent(tmp_path / "job")
    assert examples.classes.tolist() == [0, 2, 1]
    assert examples.photographs.shape == (3, SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("class first", "line 1 of the manifest: found b'0', expected a JPEG or PNG photograph; name the photographs'"),
        ("three attributes", "line 2 of the manifest: found b'more', expected a JPEG or PNG photograph"),
        ("photograph alone", "line 1 of the manifest: found b'' behind the photograph, expected its class"),
        ("boxes", "line 1 of the manifest: found b'{\"annotations\": []}' behind the photograph, expected its class"),
    ],
)
def test_refuses_attributes_in_another_order(tmp_path: Path, order: str, message: str) -> None:
    photograph, *_ = draw(tmp_path / "drawn")
    records = {
        "class first": (b"0", photograph),
        "three attributes": (photograph, b"0", b"more", photograph),
        "photograph alone": (photograph,),
        "boxes": (photograph, b'{"annotations": []}'),
    }[order]
    send(tmp_path / "job", *records)

    with pytest.raises(TrainingDataError) as refused:
        read_sent(tmp_path / "job")

    assert message in str(refused.value)


def test_refuses_a_stream_without_records(tmp_path: Path) -> None:
    send(tmp_path, wrapper="None")

    with pytest.raises(TrainingDataError, match="'train' is a stream without records: set its RecordWrapperType"):
        read_sent(tmp_path)


def test_refuses_another_content_type(tmp_path: Path) -> None:
    write_job(tmp_path, {}, {"train": tmp_path}, content_type="text/csv")

    assert refuse(tmp_path) == (
        "channel 'train' has the content type 'text/csv'; this program reads application/x-image, image/jpeg, "
        "image/png, application/x-recordio"
    )
