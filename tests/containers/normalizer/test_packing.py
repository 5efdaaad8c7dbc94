"""The normalized images become a packed set, the same whatever number of instances makes it."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from containers.normalizer import packing, plan
from containers.normalizer.arguments import parse_job
from containers.normalizer.failures import (
    DestinationError,
    JobArgumentError,
    SourceError,
    TooManyRefusedError,
)
from containers.normalizer.program import normalize_all
from containers.normalizer.sharing import Share
from containers.normalizer.storage import Storage
from containers.normalizer.tally import Result, Tally
from headrace.normalizer.normalize import normalize_to_pixels
from headrace.normalizer.options import Options
from headrace.packed import PackedSet
from tests.containers.normalizer.fake_s3 import FakeS3
from tests.containers.normalizer.jobs import DESTINATION, MANIFEST, NORMALIZED, SMALL
from tests.containers.normalizer.test_sharing import AloneCrew, DyingTally, KilledError
from tests.headrace.normalizer.made_images import make_jpeg

PACKED = "sets/small/packed/"
SIDE, PER_SHARD, PHOTOGRAPHS = 16, 7, 60
OPTIONS = Options(width=SIDE, height=SIDE)
BAD = b"no image at all"


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine shards of six or seven photographs."""
    monkeypatch.setattr(plan, "SHARD_BYTES", PER_SHARD * SIDE * SIDE)


@cache
def make_photograph(number: int) -> bytes:
    return make_jpeg(20 + number, 20)


@pytest.fixture
def s3() -> FakeS3:
    """Photographs in three folders, uploaded an hour ago."""
    s3 = FakeS3()
    for number in range(PHOTOGRAPHS):
        s3.put(name_photograph(number), make_photograph(number))
    s3.wait(hours=1)
    return s3


class MeanwhileTally(Tally):
    """Does something else at an event, or at the first photograph."""

    def __init__(self, moment: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._moment = moment
        self._act = act

    def count(self, result: Result) -> None:
        super().count(result)
        if self._moment == "photograph" and self.photographs == 1:
            self._act()

    def report(self, event: str) -> None:
        super().report(event)
        if event == self._moment:
            self._act()


def name_photograph(number: int) -> str:
    return f"photographs/{('ball', 'cross', 'gear')[number % 3]}/{number:04}.jpg"


def run(s3: FakeS3, *more: str, share: Share | None = None, tally: Tally | None = None) -> str | None:
    arguments = ["--source", "s3://raw/photographs/", *DESTINATION, *SMALL, "--connections", "2", "--packed", *more]
    return normalize_all(parse_job(arguments), Storage(s3), tally or Tally(), share or Share())


def run_all(s3: FakeS3, *more: str, count: int = 4, job: str = "job") -> str | None:
    """Run all instances, one after the other; what the last one says."""
    return [run(s3, *more, share=Share(count, index, job)) for index in range(count)][-1]


def list_files(s3: FakeS3) -> dict[str, bytes]:
    return {key.removeprefix(PACKED): s3.read(key) for key in s3.keys(PACKED)}


def open_packed(s3: FakeS3, folder: Path) -> PackedSet:
    folder.mkdir(exist_ok=True)
    for name, content in list_files(s3).items():
        (folder / name).write_bytes(content)
    return PackedSet(folder)


def delete_packed(s3: FakeS3) -> None:
    for key in (*s3.keys(PACKED), *s3.keys("sets/small/packing/")):
        del s3.objects["work", key]


def count_writes(s3: FakeS3, prefix: str) -> Counter[str]:
    return Counter(key for name, key in s3.requests if name == "PutObject" and key.startswith(prefix))


def test_packs_the_pixels_of_the_normalized_images_by_folder(s3: FakeS3, tmp_path: Path) -> None:
    said = run(s3)

    assert said == (
        "s3://work/sets/small/: 60 photographs: 60 made, 0 kept, 0 refused, 0 unavailable; "
        "60 packed in s3://work/sets/small/packed/"
    )
    with open_packed(s3, tmp_path) as packed:
        packed.verify()
        pixels = packed.read(np.arange(PHOTOGRAPHS))
        assert (packed.layout.labels, packed.layout.classes) == (("ball", "cross", "gear"), (20, 20, 20))
        assert [shard.records for shard in packed.layout.shards] == [6, 7, 7] * 3
        assert packed.classes.tolist() == [0] * 20 + [1] * 20 + [2] * 20
        assert packed.indices.tolist() == list(range(PHOTOGRAPHS))
    for key, found in zip(s3.keys(NORMALIZED), pixels, strict=True):
        assert np.array_equal(found[:, :, 0], np.asarray(normalize_to_pixels(s3.read(key), OPTIONS)))


def test_packs_colours(s3: FakeS3, tmp_path: Path) -> None:
    run(s3, "--colour", "rgb")

    with open_packed(s3, tmp_path) as packed:
        packed.verify()
        assert packed.layout.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("count", [2, 4, 20])
def test_writes_the_same_bytes_with_any_number_of_instances(s3: FakeS3, count: int) -> None:
    run(s3)
    expected = list_files(s3)
    for key in s3.keys("sets/"):
        del s3.objects["work", key]

    said = run_all(s3, count=count)

    assert said is not None
    assert said.endswith("60 packed in s3://work/sets/small/packed/")
    assert list_files(s3) == expected


@pytest.mark.parametrize("count", [1, 4])
def test_goes_on_at_a_shard_when_an_instance_was_killed(
    s3: FakeS3, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(s3)
    expected = list_files(s3)
    for key in s3.keys("sets/"):
        del s3.objects["work", key]
    s3.requests.clear()
    # In its own thread, so that the end of the one is that of the instance.
    monkeypatch.setattr(packing, "Crew", AloneCrew)

    with pytest.raises(KilledError):
        run(s3, share=Share(4, 1, "job"), tally=DyingTally())
    for index in (0, 2, 3):
        assert run(s3, share=Share(4, index, "job")) is None
    assert "packed.json" not in list_files(s3)
    run_all(s3, count=count, job="again")

    assert list_files(s3) == expected
    assert set(count_writes(s3, PACKED).values()) == {1}
    assert set(count_writes(s3, NORMALIZED).values()) == {1}


def test_packs_what_was_normalized_before(s3: FakeS3) -> None:
    run(s3)
    expected = list_files(s3)
    delete_packed(s3)

    said = run(s3)

    assert said is not None
    assert "0 made, 60 kept" in said
    assert list_files(s3) == expected


def test_writes_nothing_again_when_nothing_has_changed(s3: FakeS3) -> None:
    run(s3)
    expected = list_files(s3)
    s3.requests.clear()

    run(s3)

    assert list_files(s3) == expected
    assert not [key for key in count_writes(s3, PACKED) if "pixels" in key]
    assert not s3.count("GetObject", "photographs/")


def test_leaves_out_what_is_refused_and_names_it_each_time(s3: FakeS3, tmp_path: Path) -> None:
    bad = {name_photograph(number) for number in (0, 4, 59)}
    for key in bad:
        s3.put(key, BAD)

    for _ in range(2):
        run(s3, "--max-refused", "3")

        assert {line["key"] for line in s3.read_lines("sets/small/failures.jsonl")} == bad
        assert s3.read_json("sets/small/summary.json")["refused"] == len(bad)
    with open_packed(s3, tmp_path) as packed:
        packed.verify()
        assert len(packed) == PHOTOGRAPHS - len(bad)


def test_is_no_packed_set_while_too_many_are_refused(s3: FakeS3) -> None:
    s3.put(name_photograph(4), BAD)

    with pytest.raises(TooManyRefusedError):
        run(s3)
    assert "packed.json" not in list_files(s3)
    s3.put(name_photograph(4), make_jpeg(30, 30))
    s3.requests.clear()
    run(s3)

    assert "packed.json" in list_files(s3)
    # The one that the photograph is in, and no other.
    assert len([key for key in count_writes(s3, PACKED) if "pixels" in key]) == 1


def test_tries_refused_photographs_again_until_the_packed_set_is_finished(s3: FakeS3) -> None:
    archived = name_photograph(4)
    s3.refuse("GetObject", archived, "InvalidObjectState", 403)
    with pytest.raises(TooManyRefusedError, match="1 refused"):
        run(s3)
    s3.refusals.clear()
    s3.requests.clear()

    said = run(s3)

    assert said is not None
    assert "1 made, 59 kept, 0 refused" in said
    assert said.endswith("60 packed in s3://work/sets/small/packed/")
    assert s3.count("GetObject", "photographs/") == 1
    assert set(count_writes(s3, NORMALIZED)) == {f"{NORMALIZED}{archived.removeprefix('photographs/')}"}


def test_does_not_change_a_finished_packed_set_when_a_refused_photograph_is_restored(s3: FakeS3) -> None:
    s3.refuse("GetObject", name_photograph(4), "InvalidObjectState", 403)
    run(s3, "--max-refused", "1")
    expected = list_files(s3)
    s3.refusals.clear()

    said = run(s3, "--max-refused", "1")

    assert said is not None
    assert "0 made, 59 kept, 1 refused" in said
    assert list_files(s3) == expected


def test_is_no_packed_set_while_a_photograph_is_unavailable(s3: FakeS3) -> None:
    s3.refuse("GetObject", name_photograph(9), "InternalError", 500)
    with pytest.raises(TooManyRefusedError, match="1 unavailable"):
        run(s3)
    assert "packed.json" not in list_files(s3)

    s3.refusals.clear()
    said = run(s3)

    assert said is not None
    assert said.endswith("60 packed in s3://work/sets/small/packed/")


def test_does_not_replace_a_packed_set_of_other_photographs(s3: FakeS3) -> None:
    run(s3)
    expected = list_files(s3)
    s3.put(name_photograph(3), make_jpeg(50, 50))

    with pytest.raises(DestinationError, match=r"s3://work/sets/small/packed/ holds a packed set of other photographs"):
        run(s3)

    assert list_files(s3) == expected


@pytest.mark.parametrize("moment", ["photograph", "normalizing_end"])
def test_does_not_replace_a_packed_set_that_another_run_has_finished_meanwhile(
    s3: FakeS3, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other run begins and ends while this one does nothing.
    monkeypatch.setattr(packing, "Crew", AloneCrew)
    added = "photographs/gear/9999.jpg"
    s3.put(added, make_jpeg(50, 50))
    found: dict[str, bytes] = {}

    def run_without_added() -> None:
        photograph = s3.objects.pop(("raw", added))
        run(s3)
        s3.objects["raw", added] = photograph
        found.update(list_files(s3))

    with pytest.raises(DestinationError, match="holds a packed set of other photographs"):
        run(s3, tally=MeanwhileTally(moment, run_without_added))

    assert "packed.json" in found
    assert list_files(s3) == found


def test_refuses_what_instances_have_packed_of_different_photographs(s3: FakeS3) -> None:
    run(s3, share=Share(2, 0, "job"))
    s3.put("photographs/ball/0000a.jpg", make_jpeg(30, 30))

    with pytest.raises(SourceError, match="photographs were added, replaced or removed while the job ran"):
        run(s3, share=Share(2, 1, "job"))

    assert "packed.json" not in list_files(s3)


def test_does_not_take_pixels_that_another_run_has_replaced(s3: FakeS3) -> None:
    run(s3)
    expected = list_files(s3)
    del s3.objects["work", f"{PACKED}packed.json"]
    s3.objects["work", f"{PACKED}pixels-00002.npy"] = s3.objects["work", f"{PACKED}pixels-00001.npy"]

    run(s3)

    assert list_files(s3) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda text: text[:-5],
        lambda _: b"[]",
        lambda text: text.replace(b'"rows"', b'"lines"'),
        lambda text: text.replace(b'"sha256"', b'"md5"'),
        lambda text: text.replace(b'"failures": {}', b'"failures": 0'),
    ],
    ids=["empty", "shortened", "of another type", "without rows", "without a digest", "failures of another type"],
)
def test_packs_again_what_a_damaged_file_described(s3: FakeS3, change: Callable[[bytes], bytes]) -> None:
    run(s3)
    expected = list_files(s3)
    place = "sets/small/packing/00003.json"
    described = s3.read(place)
    s3.put(place, change(described), bucket="work")

    run(s3)

    assert s3.read(place) == described
    assert list_files(s3) == expected


def test_refuses_an_empty_file_of_pixels(s3: FakeS3) -> None:
    for number in range(0, PER_SHARD * 3, 3):
        s3.put(name_photograph(number), BAD)

    with pytest.raises(SourceError, match=r"all photographs of pixels-00000\.npy, from s3://raw/photographs/ball/0000"):
        run(s3, "--max-refused", "60")

    summary = s3.read_json("sets/small/summary.json")
    assert (summary["made"], summary["refused"], summary["is_complete"]) == (53, 7, False)


def test_packs_without_what_is_refused_of_the_last_photographs(s3: FakeS3) -> None:
    for number in range(PHOTOGRAPHS, 64):
        s3.put(f"photographs/gear/{number:04}.jpg", make_jpeg(50, 50))
    s3.put("photographs/gear/0063.jpg", BAD)

    said = run(s3, "--max-refused", "1")

    assert said is not None
    assert said.endswith("63 packed in s3://work/sets/small/packed/")


def test_refuses_a_manifest() -> None:
    with pytest.raises(JobArgumentError, match="--packed: the classes of a packed set are the folders"):
        parse_job([*MANIFEST, *DESTINATION, "--packed"])
