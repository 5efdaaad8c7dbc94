import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from containers.images.training.recording import RecordedPhotographs, list_lists
from containers.images.training.sources import ChannelPhotographs
from containers.shared.images.decoding import DecodingError
from containers.shared.job import list_record
from containers.shared.job.inputs import JobInputs
from containers.shared.job.list_record import ListRecord
from containers.shared.job.training_failures import TrainingDataError
from headrace.normalizer.limits import LEARNT
from headrace.provenance import read_inputs
from tests.containers.images.training.image_roots import train_on_photographs
from tests.containers.job_roots import list_files


def read_record(root: Path) -> Any:
    return json.loads((root / "output/data/inputs.json").read_text())


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """The folder of a channel with a list and the names of its classes."""
    folder = tmp_path / "train_lst"
    (folder / "v2").mkdir(parents=True)
    (folder / "v2/train.lst").write_bytes(b"0\t0\ta.jpg\n")
    (folder / "v2/classes.txt").write_bytes(b"cat\n")
    return folder


def test_records_every_photograph_and_list_of_a_job(trained_images: Path, photographs: Path) -> None:
    channels = read_record(trained_images)["channels"]

    assert {name: len(files) for name, files in channels.items()} == {
        "train": 36,
        "validation": 12,
        "train_lst": 2,
        "validation_lst": 1,
    }
    for file in channels["train"]:
        content = (photographs / file["key"]).read_bytes()
        assert (file["sha256"], file["size"]) == (hashlib.sha256(content).hexdigest(), len(content))


def test_keeps_the_lists_as_they_were(trained_images: Path) -> None:
    kept = {name for name in list_files(trained_images / "output/data") if name.startswith("lists/")}

    assert kept == {"lists/train_lst/train.lst", "lists/train_lst/classes.txt", "lists/validation_lst/validation.lst"}
    for name in kept:
        assert (trained_images / "output/data" / name).read_bytes() == (trained_images / name).read_bytes()


def test_gives_a_second_run_on_the_same_photographs_the_same_fingerprint(
    trained_images: Path, photographs: Path, tmp_path: Path
) -> None:
    elsewhere = Path(shutil.copytree(photographs, tmp_path / "moved"))
    train_on_photographs(tmp_path / "again", elsewhere)

    assert read_record(tmp_path / "again") == read_record(trained_images)


def test_records_a_photograph_that_is_too_large_as_a_whole(tmp_path: Path) -> None:
    content = bytes(LEARNT.file_bytes + 3)
    (tmp_path / "a.jpg").write_bytes(content)
    inputs = JobInputs()

    with RecordedPhotographs(ChannelPhotographs(tmp_path), inputs, "train").open("a.jpg") as photograph:
        assert len(photograph.read()) == LEARNT.file_bytes + 1

    assert read_inputs(inputs.dump())["train"][0].sha256 == hashlib.sha256(content).hexdigest()


def test_says_of_a_photograph_that_cannot_be_read_why(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").mkdir()
    inputs = JobInputs()

    with pytest.raises(DecodingError, match="it cannot be opened: Is a directory"):
        RecordedPhotographs(ChannelPhotographs(tmp_path), inputs, "train").open("a.jpg")

    assert read_inputs(inputs.dump()) == {}


def test_says_of_a_photograph_that_breaks_off_why() -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    class Source:
        name, threads = "broken", 1

        def lacks(self, _path: str) -> bool:
            return False

        def measure(self, _path: str) -> int | None:
            return None

        def open(self, _path: str) -> BinaryIO:
            return Broken()

    with pytest.raises(DecodingError, match="it cannot be read: Input/output error"):
        RecordedPhotographs(Source(), JobInputs(), "train").open("a.jpg")


def test_refuses_a_list_that_changes_while_it_is_read(lists: Path) -> None:
    record = ListRecord(JobInputs())

    with (
        pytest.raises(TrainingDataError, match=r"channel 'train_lst', train\.lst: it was changed while it was read"),
        record.keeping(*list_lists(lists)),
    ):
        (lists / "v2/train.lst").write_bytes(b"0\t1\ta.jpg\n")


def test_records_but_does_not_keep_what_is_too_large(
    lists: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(list_record, "MOST_LIST_BYTES", 9)
    inputs = JobInputs()
    record = ListRecord(inputs)

    with record.keeping(*list_lists(lists)):
        pass

    assert record.contents == {"lists/train_lst/v2/classes.txt": b"cat\n"}
    assert [file.key for file in read_inputs(inputs.dump())["train_lst"]] == ["v2/classes.txt", "v2/train.lst"]
    assert capsys.readouterr().err == "list_not_kept list=train.lst bytes=10 room=9\n"
