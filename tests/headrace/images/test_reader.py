"""Images that may come later are asked for again; those that never will are not."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from headrace.images import read_normalized_images, reader
from headrace.images.addresses import ADDRESS_VARIABLE, Address, DoorKind
from headrace.images.backpressure import RequestSlots
from headrace.images.errors import (
    NormalizedImageRefusedError,
    NormalizedImageThrottledError,
    NormalizedImageUnavailableError,
)
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
    return NormalizedImageUnavailableError("a", "ServiceUnavailable", "because")


# So much faster than on AWS these tests go.
ACCELERATION = 100


class SmallQuotaDoor:
    """Admits so many requests at once, each for 0.3 s, and turns the others away as Lambda does."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.turned_away = 0
        self._running = 0
        self._lock = threading.Lock()

    def read(self, key: str) -> bytes:
        with self._take_place(key):
            time.sleep(0.3 / ACCELERATION)
            return key.encode()

    @contextmanager
    def _take_place(self, key: str) -> Iterator[None]:
        with self._lock:
            if self._running == self.most:
                self.turned_away += 1
                raise NormalizedImageThrottledError(key, "Refused", "Rate Exceeded.")
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1


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


@pytest.mark.parametrize("connections", [8, 32, 256])
def test_loses_no_photograph_when_ten_are_admitted_at_once(monkeypatch: pytest.MonkeyPatch, connections: int) -> None:
    door = SmallQuotaDoor(10)
    monkeypatch.setattr(reader, "open_door", lambda *_, **__: door)
    images = NormalizedImageReader(
        Address(DoorKind.FOLDER, "/"), connections=connections, sleep=lambda seconds: time.sleep(seconds / ACCELERATION)
    )
    keys = [f"{number}.jpg" for number in range(600)]

    assert [image.key for image in read_normalized_images(((key, None) for key in keys), images)] == keys
    assert (door.turned_away > 0) is (connections > door.most)


def test_asks_again_for_as_long_as_others_arrive(make_reader: Callable[..., NormalizedImageReader]) -> None:
    slept: list[float] = []

    assert make_reader(
        FailingDoor(*(NormalizedImageThrottledError("a", "Refused", "") for _ in range(50))), slept
    ).read("a")
    assert max(slept) <= 8


def test_gives_up_when_everything_is_turned_away_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    door, now = SmallQuotaDoor(0), [0.0]
    monkeypatch.setattr(reader, "open_door", lambda *_, **__: door)

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(NormalizedImageThrottledError):
        NormalizedImageReader(Address(DoorKind.FOLDER, "/"), sleep=sleep, clock=lambda: now[0]).read("a")

    assert 300 < now[0] <= 310


class TestRequestSlots:
    def test_lets_no_more_run_than_were_admitted_beside_one_that_was_turned_away(self) -> None:
        slots = RequestSlots(4)
        with slots.hold(), slots.hold(), pytest.raises(NormalizedImageThrottledError), slots.hold():
            raise NormalizedImageThrottledError("a", "Refused", "")

        assert slots.places == 2

    def test_always_lets_one_run(self) -> None:
        slots = RequestSlots(1)
        with pytest.raises(NormalizedImageThrottledError), slots.hold():
            raise NormalizedImageThrottledError("a", "Refused", "")

        assert slots.places == 1

    def test_lets_more_run_again_when_none_is_turned_away(self) -> None:
        slots = RequestSlots(3)
        with pytest.raises(NormalizedImageThrottledError), slots.hold():
            raise NormalizedImageThrottledError("a", "Refused", "")
        for _ in range(20):
            with slots.hold():
                pass

        assert slots.places == 3

    def test_keeps_its_places_when_an_image_is_refused(self) -> None:
        slots = RequestSlots(2)
        for _ in range(5):
            with pytest.raises(NormalizedImageRefusedError), slots.hold():
                raise NormalizedImageRefusedError("a", "NoSuchKey", "gone")

        assert slots.places == 2


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
