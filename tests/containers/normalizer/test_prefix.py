from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.normalizer.prefix import find_photographs, pair_with_normalized
from containers.normalizer.storage import Storage, StoredObject
from containers.normalizer.tally import Result, Tally
from headrace.s3.addresses import S3Address
from tests.containers.normalizer.fake_s3 import START, FakeS3

IMAGES, NORMALIZED = S3Address("raw", "images/"), S3Address("work", "normalized/")

# Keys as S3 has them, in the order in which it lists them: that of their UTF-8 bytes.
Keys = st.sets(st.text(alphabet="a/é\U0001f600\uffef", min_size=1, max_size=3)).map(
    lambda keys: sorted(keys, key=str.encode)
)


def list_paths(paths: list[str]) -> list[StoredObject]:
    return [StoredObject(path, '"1"', START) for path in paths]


def find_paths(s3: FakeS3, tally: Tally) -> dict[str, bool]:
    """The photographs that are left to do, and whether their normalized images may be current."""
    found = find_photographs(Storage(s3), IMAGES, NORMALIZED, tally)
    return {photograph.path: photograph.may_be_normalized for photograph in found}


@given(photographs=Keys, normalized_images=Keys)
def test_finds_the_normalized_image_of_every_photograph_that_has_one(
    photographs: list[str], normalized_images: list[str]
) -> None:
    pairs = pair_with_normalized(list_paths(photographs), list_paths(normalized_images))

    found = [(photograph.path, normalized.path if normalized else None) for photograph, normalized in pairs]
    assert found == [(path, path if path in normalized_images else None) for path in photographs]


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "b/a.png", "a.WebP", "a.gif", "a.tif", "a.tiff", "a.bmp", ".jpg"])
def test_takes_an_object_for_an_image_by_its_suffix(name: str) -> None:
    s3, tally = FakeS3(), Tally()
    s3.put(f"images/{name}", b"")

    assert list(find_paths(s3, tally)) == [name]
    assert tally.skipped == 0


@pytest.mark.parametrize("name", ["a.txt", "jpg", "a.jpg.json", "a.heic", "b.jpg/a"])
def test_counts_objects_that_are_no_images(name: str) -> None:
    s3, tally = FakeS3(), Tally()
    s3.put(f"images/{name}", b"")

    assert find_paths(s3, tally) == {}
    assert tally.skipped == 1


@pytest.mark.parametrize("name", ["", "b/", "b.jpg/"])
def test_overlooks_what_stands_for_a_folder(name: str) -> None:
    s3, tally = FakeS3(), Tally()
    s3.put(f"images/{name}", b"")

    assert find_paths(s3, tally) == {}
    assert tally.skipped == 0


@pytest.mark.parametrize(
    ("age", "found"),
    [
        (timedelta(days=-1), {"a.jpg": False}),
        (timedelta(seconds=-1), {"a.jpg": False}),
        (timedelta(0), {"a.jpg": True}),
        (timedelta(minutes=14, seconds=59), {"a.jpg": True}),
        (timedelta(minutes=15), {}),
    ],
)
def test_judges_a_normalized_image_by_its_age(age: timedelta, found: dict[str, bool]) -> None:
    s3, tally = FakeS3(), Tally()
    s3.put("images/a.jpg", b"")
    s3.now += age
    s3.put("normalized/a.jpg", b"", "work")

    assert find_paths(s3, tally) == found
    assert tally.of(Result.KEPT) == 1 - len(found)


def test_leaves_normalized_images_alone_that_nobody_asks_for() -> None:
    s3, tally = FakeS3(), Tally()
    s3.put("normalized/a.jpg", b"", "work")

    assert find_paths(s3, tally) == {}
    assert s3.keys("normalized/") == ["normalized/a.jpg"]
