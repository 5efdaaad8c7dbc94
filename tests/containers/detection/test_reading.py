"""Photographs and their boxes come from an augmented manifest's stream or from image RecordIO alike."""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from containers.detection.reading import Scenes, read_scenes
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import read_job
from headrace.lst import read_any_lst
from headrace.manifest import convert_coco, convert_to_list
from headrace.normalizer.orientation import Orientation
from headrace.recordio import ImageRecord, load_images, write_images
from headrace.workloads import scenes
from tests.containers.detection.detectors import (
    CLASSES,
    describe_boxes,
    list_records,
    list_scenes,
    write_records_job,
    write_streams_job,
)
from tests.containers.job_roots import write_job

LISTED = list_scenes(3)


def read(root: Path, inputs: JobInputs | None = None) -> Scenes:
    job = read_job(root, reads_streams=True)
    return read_scenes(root, job, "train", inputs or JobInputs(), side=32, classes=CLASSES)


def refuse(root: Path) -> str:
    with pytest.raises(TrainingDataError) as refused:
        read(root)
    return str(refused.value)


def test_reads_the_same_from_a_stream_and_from_records(tmp_path: Path) -> None:
    write_streams_job(tmp_path / "stream", {}, train=list_records(LISTED))
    write_records_job(tmp_path / "records", {}, train=LISTED)

    streamed, recorded = (read(tmp_path / name) for name in ("stream", "records"))

    assert np.array_equal(streamed.photographs, recorded.photographs)
    assert streamed.photographs.shape == (3, 32, 32, 3)
    for place, (_, scene) in enumerate(LISTED):
        assert streamed.labels[place].tolist() == [thing.label for thing in scene.things]
        assert np.array_equal(streamed.labels[place], recorded.labels[place])
        assert streamed.boxes[place] == pytest.approx(recorded.boxes[place], abs=1e-6)
        left, top, right, bottom = scene.things[0].corners
        width, height = scene.photograph.size
        expected = [left / width, top / height, right / width, bottom / height]
        assert streamed.boxes[place][0] == pytest.approx(expected, abs=1e-6)


def test_reads_a_file_that_our_commands_made_of_a_folder_with_boxes(tmp_path: Path) -> None:
    folder, prefix = tmp_path / "street", "s3://street-bucket/"
    scenes.make_scenes(folder, count=3, seed=1)
    convert_coco(folder / scenes.ANNOTATIONS_FILE, prefix, tmp_path / "boxes.manifest")
    convert_to_list(tmp_path / "boxes.manifest", prefix, tmp_path / "boxes.lst", "bounding-box")
    records = tmp_path / "records"
    records.mkdir()
    write_images(records / "boxes.rec", load_images(read_any_lst(tmp_path / "boxes.lst"), folder))
    write_job(tmp_path, {}, {"train": records}, content_type="application/x-recordio")

    found = read(tmp_path)

    for place, (_, scene) in enumerate(LISTED):
        assert found.labels[place].tolist() == [thing.label for thing in scene.things]
        width, height = scene.photograph.size
        pixels = found.boxes[place] * np.array([width, height, width, height])
        assert pixels == pytest.approx(np.array([thing.corners for thing in scene.things]), abs=1e-3)


def test_takes_down_what_it_reads_and_takes_photographs_without_boxes(tmp_path: Path) -> None:
    nothing = json.dumps({**describe_boxes(LISTED[1][1]), "annotations": []}).encode()
    write_streams_job(tmp_path, {}, train=[*list_records(LISTED[:1]), LISTED[1][0], nothing])
    inputs = JobInputs()

    found = read(tmp_path, inputs)

    assert [len(labels) for labels in found.labels] == [len(LISTED[0][1].things), 0]
    assert inputs.dump().count(b'"key":"00000000') == 2


# What an asymmetric photograph is stored as, so that it is shown upright.
UNTURNED = {
    Orientation.TOP_LEFT: None,
    Orientation.TOP_RIGHT: Image.Transpose.FLIP_LEFT_RIGHT,
    Orientation.BOTTOM_RIGHT: Image.Transpose.ROTATE_180,
    Orientation.BOTTOM_LEFT: Image.Transpose.FLIP_TOP_BOTTOM,
    Orientation.LEFT_TOP: Image.Transpose.TRANSPOSE,
    Orientation.RIGHT_TOP: Image.Transpose.ROTATE_90,
    Orientation.RIGHT_BOTTOM: Image.Transpose.TRANSVERSE,
    Orientation.LEFT_BOTTOM: Image.Transpose.ROTATE_270,
}
UP = Orientation.TOP_LEFT
UPRIGHT_SIZE, UPRIGHT_BOX = (160, 320), (20, 40, 60, 160)


def store(image: Image.Image, orientation: Orientation) -> Image.Image:
    turn = UNTURNED[orientation]
    return image if turn is None else image.transpose(turn)


def draw_white_box(orientation: Orientation) -> Image.Image:
    """A photograph with a white box, as it is stored."""
    upright = Image.new("RGB", UPRIGHT_SIZE)
    upright.paste((255, 255, 255), UPRIGHT_BOX)
    return store(upright, orientation)


def encode(image: Image.Image, orientation: Orientation) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


def label_box(corners: tuple[int, ...], size: tuple[int, int]) -> bytes:
    left, top, right, bottom = corners
    box = {"class_id": 0, "left": left, "top": top, "width": right - left, "height": bottom - top}
    sides = {"width": size[0], "height": size[1], "depth": 3}
    return json.dumps({"image_size": [sides], "annotations": [box]}).encode()


def is_where_it_is_white(found: Scenes) -> bool:
    """Whether the only box is where the photograph is white."""
    left, top, right, bottom = np.round(found.boxes[0][0] * 32).astype(int)
    expected = np.zeros((32, 32), bool)
    expected[top:bottom, left:right] = True
    return np.array_equal(found.photographs[0].mean(axis=2) > 128, expected)


@pytest.mark.parametrize("orientation", list(Orientation))
def test_finds_boxes_in_the_photograph_upright(tmp_path: Path, orientation: Orientation) -> None:
    photograph = encode(draw_white_box(orientation), orientation)
    write_streams_job(tmp_path, {}, train=[photograph, label_box(UPRIGHT_BOX, UPRIGHT_SIZE)])

    assert is_where_it_is_white(read(tmp_path))


@pytest.mark.parametrize("orientation", [each for each in Orientation if each.swaps_sides])
@pytest.mark.parametrize("is_recorded", [False, True])
def test_turns_boxes_that_were_counted_in_stored_pixels(
    tmp_path: Path, orientation: Orientation, is_recorded: bool
) -> None:
    stored = draw_white_box(orientation)
    corners, (width, height) = stored.getbbox() or (), stored.size
    photograph = encode(stored, orientation)
    if is_recorded:
        folder = tmp_path / "records"
        folder.mkdir()
        parts = [side / whole for side, whole in zip(corners, (width, height) * 2, strict=True)]
        write_images(folder / "train.rec", [ImageRecord(7, (4, 5, width, height, 0, *parts), photograph)])
        write_job(tmp_path, {}, {"train": folder}, content_type="application/x-recordio")
    else:
        write_streams_job(tmp_path, {}, train=[photograph, label_box(corners, stored.size)])

    assert is_where_it_is_white(read(tmp_path))


def test_takes_the_boxes_of_a_larger_copy(tmp_path: Path) -> None:
    size, corners = (1600, 3201), (200, 400, 600, 1600)
    write_streams_job(tmp_path, {}, train=[encode(draw_white_box(UP), UP), label_box(corners, size)])

    assert is_where_it_is_white(read(tmp_path))


PHOTOGRAPH, VALUE = LISTED[0][0], describe_boxes(LISTED[0][1])
BOX = {"class_id": 0, "left": 1, "top": 1, "width": 5, "height": 5}


def say(**changes: Any) -> bytes:
    return json.dumps({**VALUE, **changes}).encode()


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([say(), PHOTOGRAPH], 'line 1 of the manifest: found b\'{"image_size"'),
        ([PHOTOGRAPH, say(), b"more", PHOTOGRAPH], "line 2 of the manifest: found b'more', expected a JPEG or PNG"),
        ([PHOTOGRAPH], "line 1 of the manifest: found b'' behind the photograph, expected its boxes"),
        ([PHOTOGRAPH, b"3"], "found b'3' behind the photograph, expected its boxes"),
        ([PHOTOGRAPH, b"[" * 100_000], "expected its boxes"),
        ([PHOTOGRAPH, say(image_size=[])], "line 1 of the manifest: boxes: image_size is [], expected"),
        (
            [PHOTOGRAPH, say(image_size=[{"width": 10**308, "height": 9}])],
            "line 1 of the manifest: boxes: image_size is",
        ),
        (
            [PHOTOGRAPH, say(annotations=[{**BOX, "class_id": 10**299}])],
            "line 1 of the manifest: boxes: box 1 has class_id 10",
        ),
        ([PHOTOGRAPH, say(annotations=[{**BOX, "width": 0}])], "boxes: box 1 is empty: width 0, height 5"),
        ([PHOTOGRAPH, say(annotations=[{**BOX, "left": 9999}])], "boxes: box 1 reaches outside the image of"),
        ([PHOTOGRAPH, say(annotations=[{**BOX, "class_id": 4}])], "box 1: class 4 is not one of 0 to 3, which num_cl"),
        (
            [PHOTOGRAPH, label_box((1, 1, 5, 5), (500, 100))],
            "line 1 of the manifest: its boxes are counted in an image of 500 x 100, and the photograph has",
        ),
        ([PHOTOGRAPH, say(annotations=[{**BOX, "left": 10**399}])], "boxes: box 1 has no number for left"),
        ([PHOTOGRAPH, say(annotations=[])], "channel 'train' has no boxes in any photograph"),
        ([b"\xff\xd8\xff broken", say()], "line 1 of the manifest: damaged: "),
        ([], "channel 'train' has no photographs; check the step that wrote it"),
    ],
)
def test_names_the_line_that_cannot_be_used(tmp_path: Path, records: list[bytes], message: str) -> None:
    write_streams_job(tmp_path, {}, train=records)

    assert message in refuse(tmp_path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((1.0,), "train.rec: photograph 7 has no complete box after its header"),
        ((2, 5, 0, 0.5, 0.1, 0.4, 0.9), "photograph 7 box 1 is empty or inverted"),
        ((2, 5, 0, 0.5, 0.1, 1.4, 0.9), "photograph 7 box 1 reaches outside the image"),
        ((2, 5, 0, math.nan, 0.5, 1, 1), "photograph 7 box 1 reaches outside the image: nan 0.5 1 1 are not fractions"),
        (
            (2, 5, 0, 0.5, 0.5, 1, math.nan),
            "photograph 7 box 1 reaches outside the image: 0.5 0.5 1 nan are not fractions",
        ),
        ((2, 5, math.nan, 0.5, 0.1, 0.9, 0.9), "photograph 7 box 1 has class 'nan', expected a whole number from 0"),
        ((2, 5, 9, 0.5, 0.1, 0.9, 0.9), "photograph 7, box 1: class 9 is not one of 0 to 3"),
    ],
)
def test_names_the_record_that_cannot_be_used(tmp_path: Path, labels: tuple[float, ...], message: str) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    write_images(folder / "train.rec", [ImageRecord(7, labels, PHOTOGRAPH)])
    write_job(tmp_path, {}, {"train": folder}, content_type="application/x-recordio")

    assert message in refuse(tmp_path)


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("image/jpeg", "channel 'train' brings files of photographs, which say nothing of boxes: stream an augmented"),
        ("text/csv", "channel 'train' has the content type 'text/csv'; this program reads application/x-image,"),
    ],
)
def test_refuses_files_that_say_nothing_of_boxes(tmp_path: Path, content_type: str, message: str) -> None:
    write_job(tmp_path, {}, {"train": tmp_path}, content_type=content_type)

    assert refuse(tmp_path).startswith(message)


def test_refuses_a_stream_without_records(tmp_path: Path) -> None:
    write_streams_job(tmp_path, {}, train=[])
    config = tmp_path / "input/config/inputdataconfig.json"
    config.write_text(config.read_text().replace("RecordIO", "None"))

    assert refuse(tmp_path).startswith("channel 'train' is a stream without records: set its RecordWrapperType")
