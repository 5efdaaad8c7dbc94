"""What a run brings to the channels of a residual network, and how it reads the answers."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.workloads import photographs, resnet
from headrace.workloads.delivery import Delivery, Folder, ForeignDataError, Prefix, refuse_foreign

CHANNELS = ("train", "validation", "train_lst", "validation_lst")


class Site(SimpleNamespace):
    """A platform whose channels are folders, and whose endpoint takes everything for the second class."""

    def read_training_request(self, _recipe: object) -> Any:
        return {"InputDataConfig": [{"ChannelName": name, "DataSource": {"place": name}} for name in CHANNELS]}

    def find_place(self, source: Any) -> Folder:
        return Folder(self.root / source["place"].replace("validation", "train", 1))

    def invoke(self, _endpoint_name: str, _body: bytes, **_types: str) -> bytes:
        return json.dumps([0.25, 0.75]).encode()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(root=tmp_path / "channels", delivery=Delivery(tmp_path))


@pytest.fixture
def run(tmp_path: Path) -> resnet.Run:
    photographs.make_photographs(tmp_path / "given", classes=2, per_class=6)
    return resnet.Run(tmp_path / "given", tmp_path / "scratch")


def test_brings_photographs_and_lists_to_their_channels(run: resnet.Run, site: Any) -> None:
    run.bring_data(site)

    brought = sorted(path.name for path in (site.root / "train_lst").iterdir())
    assert brought == ["classes.txt", "train.lst", "validation.lst"]
    assert len(list((site.root / "train").rglob("*.jpg"))) == 12


class ManifestSite(Site):
    """The same, but its photographs are those that augmented manifests list."""

    def read_training_request(self, _recipe: object) -> Any:
        sources = {name: {"S3DataType": "AugmentedManifestFile"} for name in ("train", "validation")}
        return {
            "InputDataConfig": [
                {"ChannelName": name, "DataSource": {"place": name, "S3DataSource": source}}
                for name, source in sources.items()
            ]
        }


def test_brings_nothing_to_where_a_manifest_is(run: resnet.Run, tmp_path: Path) -> None:
    site: Any = ManifestSite(root=tmp_path / "channels", delivery=Delivery(tmp_path))

    run.bring_data(site)

    assert list(tmp_path.glob("channels/**/*.*")) == []


def test_names_a_manifest_that_others_have_put_where_photographs_should_go() -> None:
    place = Prefix("raw", "resnet/train.manifest")

    with pytest.raises(ForeignDataError, match=r"s3://raw/resnet/train\.manifest has an object of this very name"):
        refuse_foreign({place: [""]})


def test_asks_for_held_out_photographs_and_names_the_class(run: resnet.Run, site: Any) -> None:
    run.bring_data(site)

    predictions = run.ask_endpoint(site, "shop").predictions

    assert predictions
    assert {prediction.predicted for prediction in predictions} == {"cross (0.75)"}
    assert {prediction.actual for prediction in predictions} <= {"ball", "cross"}


def test_leaves_photographs_of_others_alone(run: resnet.Run, site: Any) -> None:
    (site.root / "train").mkdir(parents=True)
    (site.root / "train/other.jpg").write_bytes(b"somebody else's")

    with pytest.raises(ForeignDataError, match=r"has other\.jpg, which 'headrace local run' did not put there"):
        run.bring_data(site)


@pytest.mark.parametrize("answer", ["[0.25, 0.75]", '{"prediction": [0.25, 0.75]}'])
def test_brings_a_batch_and_reads_what_was_answered(run: resnet.Run, site: Any, tmp_path: Path, answer: str) -> None:
    given, answers = Folder(tmp_path / "batch"), Folder(tmp_path / "answers")
    given.path.mkdir()

    run.bring_batch(site, given)
    for name in given.list_files():
        place = answers.path / f"{name}.out"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(answer)

    assert {each.predicted for each in run.read_batch(given, answers)} == {"cross (0.75)"}
