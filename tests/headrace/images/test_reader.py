"""Images that may come later are asked for again; those that never will are not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from headrace.images import reader
from headrace.images.addresses import ADDRESS_VARIABLE, Address, DoorKind
from headrace.images.errors import NormalizedImageRefusedError, NormalizedImageUnavailableError
from headrace.images.reader import NormalizedImageReader, open_normalized


class FailingDoor:
    """Fails as told, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def read(self, key: str) -> bytes:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return key.encode()


@pytest.fixture
def make_reader(monkeypatch: pytest.MonkeyPatch) -> Callable[[FailingDoor, list[float]], NormalizedImageReader]:
    def make(door: FailingDoor, slept: list[float]) -> NormalizedImageReader:
        monkeypatch.setattr(reader, "open_door", lambda *_, **__: door)
        return NormalizedImageReader(Address(DoorKind.FOLDER, "/"), sleep=slept.append)

    return make


def busy() -> NormalizedImageUnavailableError:
    return NormalizedImageUnavailableError("a", "SlowDown", "too many requests")


def test_asks_again_for_what_may_come_later(make_reader: Callable[..., NormalizedImageReader]) -> None:
    slept: list[float] = []

    assert make_reader(FailingDoor(busy(), busy()), slept).read("a") == b"a"
    assert len(slept) == 2


def test_gives_up_in_the_end(make_reader: Callable[..., NormalizedImageReader]) -> None:
    door, slept = FailingDoor(*(busy() for _ in range(20))), list[float]()

    with pytest.raises(NormalizedImageUnavailableError):
        make_reader(door, slept).read("a")

    assert (door.asked, len(slept)) == (8, 7)
    assert max(slept) <= 8


def test_does_not_ask_again_for_what_is_refused(make_reader: Callable[..., NormalizedImageReader]) -> None:
    door = FailingDoor(NormalizedImageRefusedError("a", "NoSuchKey", "gone"))

    with pytest.raises(NormalizedImageRefusedError):
        make_reader(door, []).read("a")

    assert door.asked == 1


def test_opens_a_normalized_image_as_a_file(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")

    opened = open_normalized("a.png", address=Address(DoorKind.FOLDER, str(tmp_path)), width=12, height=10)

    assert Image.open(opened).size == (12, 10)


def test_opens_through_the_address_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    monkeypatch.setenv(ADDRESS_VARIABLE, str(tmp_path))

    assert Image.open(open_normalized("a.png")).size == (256, 256)
