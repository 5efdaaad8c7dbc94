"""Files are read and decoded within the memory and the processors that there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import pytest

from containers.normalizer import normalized_images, storage
from containers.normalizer.memory import MemoryBudget
from containers.normalizer.normalized_images import NormalizedImageMaker, Photograph
from containers.normalizer.storage import ObjectError, OpenObject, Storage
from containers.normalizer.tally import Result
from headrace.normalizer.errors import NormalizeError
from headrace.normalizer.limits import Limits
from headrace.normalizer.normalize import normalize_to_pixels
from headrace.normalizer.options import Options
from headrace.s3.addresses import S3Address
from tests.containers.normalizer.fake_s3 import FakeS3
from tests.containers.normalizer.jobs import NORMALIZED

NEW = Photograph(S3Address("raw", "images/0.jpg"), "0.jpg")
NORMALIZED_BEFORE = NEW._replace(is_normalized=True)


class WatchedBudget(MemoryBudget):
    """Says how much is held, by one thread."""

    def __init__(self) -> None:
        super().__init__(1 << 20)
        self.held = 0

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        with super().hold(size):
            self.held = size
            yield
            self.held = 0


def open_maker(s3: FakeS3) -> NormalizedImageMaker:
    return NormalizedImageMaker(Storage(s3), S3Address("work", NORMALIZED), Options(width=16, height=16))


@pytest.mark.parametrize(
    ("photograph", "result"), [(NEW, Result.MADE), (NORMALIZED_BEFORE, Result.KEPT)], ids=["new", "normalized before"]
)
def test_decodes_a_normalized_image_within_the_budget(
    s3: FakeS3, photograph: Photograph, result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_maker(s3).make(NEW)
    budget, makers = WatchedBudget(), BoundedSemaphore()
    monkeypatch.setattr(normalized_images, "MemoryBudget", lambda _: budget)
    monkeypatch.setattr(normalized_images, "BoundedSemaphore", lambda _: makers)
    missing: list[tuple[int, bool]] = []

    def decode(body: bytes, *more: Any) -> Any:
        missing.append((len(body) - budget.held, makers.acquire(blocking=False)))
        return normalize_to_pixels(body, *more)

    monkeypatch.setattr(normalized_images, "normalize_to_pixels", decode)
    found, _ = open_maker(s3).make_pixels(photograph)

    assert found is result
    assert missing == [(0, False)]


def test_does_not_read_what_is_too_large_for_a_normalized_image(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put(f"{NORMALIZED}0.jpg", bytes(1000), bucket="work")
    monkeypatch.setattr(normalized_images, "_LIMITS", Limits(file_bytes=999))

    class UnreadObject(OpenObject):
        def read(self) -> bytes:
            raise AssertionError

    monkeypatch.setattr(storage, "OpenObject", UnreadObject)
    with pytest.raises(NormalizeError, match="1000 bytes"):
        open_maker(s3).make_pixels(NORMALIZED_BEFORE)


def test_says_that_a_normalized_image_was_removed(s3: FakeS3) -> None:
    with pytest.raises(ObjectError, match=r"normalized/0\.jpg: NoSuchKey: it was removed while the job ran"):
        open_maker(s3).make_pixels(NORMALIZED_BEFORE)
