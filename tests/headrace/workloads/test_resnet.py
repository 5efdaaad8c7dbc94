"""What a run brings to the channels of a residual network, and how it reads the answers."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.workloads import photographs, resnet
from headrace.workloads.delivery import Delivery, Folder, ForeignDataError

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


def test_asks_for_held_out_photographs_and_names_the_class(run: resnet.Run, site: Any) -> None:
    run.bring_data(site)

    predictions = run.ask_endpoint(site, "shop")

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
