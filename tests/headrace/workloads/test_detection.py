"""What a run brings to the channels of a detector, and how it reads the answers."""

import io
import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from headrace.manifest import ManifestError, Task, check_manifest, read_manifest
from headrace.workloads import delivery, detection, scenes
from headrace.workloads.delivery import Delivery, ForeignDataError, Prefix
from tests.headrace.normalizer.made_images import make_png

BUCKET = "raw-bucket"
MANIFESTS = {name: f"detection/manifests/{name}.manifest" for name in ("train", "validation")}


class Site(SimpleNamespace):
    """A platform whose detector finds a bus in everything, and with a very low score a car."""

    raw_bucket = BUCKET
    classes = "4"

    def read_training_request(self, _recipe: object) -> Any:
        return {
            "HyperParameters": {"num_classes": self.classes},
            "InputDataConfig": [
                {
                    "ChannelName": name,
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "AugmentedManifestFile",
                            "S3Uri": f"s3://{BUCKET}/{key}",
                            "AttributeNames": self.names,
                        }
                    },
                }
                for name, key in MANIFESTS.items()
            ],
        }

    def find_place(self, source: Any) -> Prefix:
        return Prefix(BUCKET, source["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/"))

    def invoke(self, _endpoint_name: str, body: bytes, *, content_type: str, accept: str) -> bytes:
        assert (Image.open(io.BytesIO(body)).format, content_type, accept) == ("JPEG", "image/jpeg", "application/json")
        return json.dumps({"prediction": [[0.0, 0.9, 0.1, 0.1, 0.4, 0.4], [1.0, 0.05, 0, 0, 1, 1]]}).encode()


class Objects:
    """What a run asks of S3, with one bucket."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def get_paginator(self, _operation: str) -> "Objects":
        return self

    def paginate(self, **named: str) -> list[Any]:
        found = {key: content for key, content in self.contents.items() if key.startswith(named["Prefix"])}
        return [{"Contents": [{"Key": key, "ETag": str(hash(content))} for key, content in found.items()]}]

    def get_object(self, **named: str) -> Any:
        assert named["Bucket"] == BUCKET
        return {"Body": io.BytesIO(self.contents[named["Key"]])}

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        assert bucket == BUCKET
        self.contents[key] = Path(path).read_bytes()

    def delete_object(self, **named: str) -> None:
        del self.contents[named["Key"]]


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    objects = Objects()
    monkeypatch.setattr(delivery, "_s3", lambda: objects)
    return objects


@pytest.fixture
def site(objects: Objects, tmp_path: Path) -> Any:
    assert objects.contents == {}
    return Site(names=["source-ref", "bounding-box"], delivery=Delivery(tmp_path))


@pytest.fixture
def given(tmp_path: Path) -> Path:
    scenes.make_scenes(tmp_path / "given", count=8)
    return tmp_path / "given"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_brings_photographs_and_manifests_that_our_checker_passes(site: Any, given: Path, scratch: Path) -> None:
    detection.Run(given, scratch).bring_data(site)

    held = {name: Prefix(BUCKET, key).read("") for name, key in MANIFESTS.items()}
    photographs = Prefix(BUCKET, "detection/photographs/").list_files()
    assert len(photographs) == 8
    named = set()
    for name, content in held.items():
        path = scratch / f"{name}.copy"
        path.write_bytes(content)
        assert list(check_manifest(path, attribute_names=site.names, task=Task.OBJECT_DETECTION)) == []
        named |= {record.source.rpartition("/")[2] for record in read_manifest(path)}
    assert named == set(photographs)


def test_asks_about_held_out_scenes_and_counts_what_the_detector_is_sure_of(
    site: Any, given: Path, scratch: Path
) -> None:
    run = detection.Run(given, scratch)
    run.bring_data(site)

    predictions = run.ask_endpoint(site, "shop").predictions

    assert predictions
    assert {prediction.predicted for prediction in predictions} <= {"1 bus", "1 class 0"}
    assert all(prediction.asked.startswith("scene_") for prediction in predictions)
    assert all(str(prediction.actual).split(" ", 1)[1] for prediction in predictions)


def test_refuses_classes_that_the_deployed_job_does_not_know(
    site: Any, objects: Objects, given: Path, scratch: Path
) -> None:
    site.classes = "1"

    with pytest.raises(
        ManifestError, match=r"class [123] is not one of 0 to 0; set num_classes of detection\.training"
    ):
        detection.Run(given, scratch).bring_data(site)

    assert objects.contents == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no photograph", "scene_0001.jpg: neither a JPEG nor a PNG file"),
        (b"GIF89a", "scene_0001.jpg: neither a JPEG nor a PNG file"),
        (make_png(7100, 7100, bits=1, colour=0), "scene_0001.jpg: it declares 7100 x 7100 pixels, more than 50000000"),
        (None, "scene_0001.jpg: No such file or directory"),
        ((300, 90), "scene_0001.jpg: its boxes are counted in an image of"),
    ],
)
def test_refuses_a_photograph_that_the_job_would_refuse(
    site: Any, objects: Objects, given: Path, scratch: Path, content: bytes | tuple[int, int] | None, reason: str
) -> None:
    photograph = given / "scene_0001.jpg"
    photograph.unlink()
    if isinstance(content, tuple):
        Image.new("RGB", content).save(photograph)
    elif content:
        photograph.write_bytes(content)

    with pytest.raises(ManifestError, match=reason):
        detection.Run(given, scratch).bring_data(site)

    assert objects.contents == {}


def test_brings_each_of_photographs_that_have_the_same_name(site: Any, tmp_path: Path, scratch: Path) -> None:
    given = tmp_path / "given"
    scenes.make_scenes(given, count=24)
    path = given / scenes.ANNOTATIONS_FILE
    document = json.loads(path.read_text())
    for photograph in document["images"]:
        (given / str(photograph["id"])).mkdir()
        (given / photograph["file_name"]).rename(given / str(photograph["id"]) / "scene.jpg")
        photograph["file_name"] = f"{photograph['id']}/scene.jpg"
    path.write_text(json.dumps(document))
    run, place = detection.Run(given, scratch), Prefix(BUCKET, "detection/batch/")
    run.bring_data(site)

    run.bring_batch(site, place)

    held_out = [record.source for record in read_manifest(scratch / "validation.manifest")]
    assert len(held_out) > 1
    assert sorted(place.list_files()) == sorted(source.partition("photographs/")[2] for source in held_out)


def test_trains_on_manifests_of_others_and_asks_about_their_photographs(
    site: Any, given: Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "make_scenes", partial(scenes.make_scenes, count=8))
    detection.Run(given, scratch).bring_data(site)
    others = Site(names=site.names, delivery=Delivery(tmp_path / "others"))
    run = detection.Run(None, tmp_path / "made-up")

    run.bring_data(others)

    assert run.data == ", ".join(f"s3://{BUCKET}/{key}" for key in MANIFESTS.values())
    assert run.ask_endpoint(others, "shop").predictions
    with pytest.raises(ForeignDataError, match=r"train\.manifest has an object of this very name"):
        detection.Run(given, scratch).bring_data(others)


def test_refuses_boxes_that_cannot_be_learnt_before_it_brings_anything(
    site: Any, objects: Objects, given: Path, scratch: Path
) -> None:
    path = given / scenes.ANNOTATIONS_FILE
    document = json.loads(path.read_text())
    document["annotations"][0]["bbox"] = [0, 0, 9999, 5]
    path.write_text(json.dumps(document))

    with pytest.raises(ManifestError, match=r"annotation 1.* reaches outside the image"):
        detection.Run(given, scratch).bring_data(site)

    assert objects.contents == {}


def test_refuses_attributes_in_another_order(site: Any, given: Path, scratch: Path) -> None:
    site.names = ["bounding-box", "source-ref"]

    with pytest.raises(ManifestError):
        detection.Run(given, scratch).bring_data(site)


def test_says_that_there_are_no_boxes(site: Any, given: Path, scratch: Path) -> None:
    (given / scenes.ANNOTATIONS_FILE).unlink()

    with pytest.raises(ManifestError, match=r"annotations\.json"):
        detection.Run(given, scratch).bring_data(site)


def test_brings_a_batch_and_reads_what_was_answered(site: Any, given: Path, scratch: Path) -> None:
    run = detection.Run(given, scratch)
    run.bring_data(site)
    batch, answers = Prefix(BUCKET, "transform/detection/"), Prefix(BUCKET, "answers/")

    run.bring_batch(site, batch)
    answer = scratch / "answer"
    answer.write_text('{"prediction": []}\n')
    for name in batch.list_files():
        answers.put(f"{name}.out", answer)

    assert {each.predicted for each in run.read_batch(batch, answers)} == {"nothing"}


def test_draws_the_same_scenes_for_the_same_seed(tmp_path: Path) -> None:
    first, second, other = tmp_path / "first", tmp_path / "second", tmp_path / "other"
    for folder, seed in ((first, 1), (second, 1), (other, 2)):
        scenes.make_scenes(folder, count=3, seed=seed)

    contents = [[path.read_bytes() for path in sorted(folder.iterdir())] for folder in (first, second, other)]
    assert contents[0] == contents[1] != contents[2]


def test_draws_things_of_every_class_within_their_scene() -> None:
    drawn = list(scenes.draw_scenes(40))

    assert {thing.label for scene in drawn for thing in scene.things} == set(range(len(scenes.CLASSES)))
    for scene in drawn:
        width, height = scene.photograph.size
        assert 1 <= len(scene.things) <= scenes.MOST
        for thing in scene.things:
            left, top, right, bottom = thing.corners
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
