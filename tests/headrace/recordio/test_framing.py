from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.recordio import RecordIOError, frame_record, framing, read_frames
from headrace.recordio.framing import LONGEST, MAGIC

WORDS = st.lists(st.sampled_from([MAGIC, b"abcd", b"\0", b"xy"]), max_size=12).map(b"".join)


class OneByteAtATime:
    """A stream that gives as little as it may, as a pipe can."""

    def __init__(self, content: bytes) -> None:
        self._stream = BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 1))


def read(content: bytes) -> list[bytes]:
    return [frame.payload for frame in read_frames(BytesIO(content))]


def test_writes_the_record_that_is_described() -> None:
    assert frame_record(b"abcde").hex(" ") == "0a 23 d7 ce 05 00 00 00 61 62 63 64 65 00 00 00"


def test_splits_a_record_where_the_magic_number_stands_at_a_multiple_of_four() -> None:
    # Made with MXNet 1.9.1's MXRecordIO.
    expected = "0a23d7ce04000020616263640a23d7ce0b00006078790a23d7ce7a0a23d7ce00"

    assert frame_record(b"abcd" + MAGIC + b"xy" + MAGIC + b"z" + MAGIC).hex() == expected


def test_splits_a_record_of_nothing_but_magic_numbers() -> None:
    assert frame_record(MAGIC * 2).hex() == "0a23d7ce000000200a23d7ce000000400a23d7ce00000060"


@given(st.lists(st.one_of(st.binary(max_size=40), WORDS), max_size=6))
def test_reads_what_was_written(payloads: list[bytes]) -> None:
    assert read(b"".join(map(frame_record, payloads))) == payloads


@given(st.lists(WORDS, max_size=4))
def test_reads_from_streams_that_give_little_at_a_time(payloads: list[bytes]) -> None:
    stream = OneByteAtATime(b"".join(map(frame_record, payloads)))

    assert [frame.payload for frame in read_frames(stream)] == payloads


def test_tells_where_each_record_starts() -> None:
    frames = read_frames(BytesIO(frame_record(b"a") + frame_record(MAGIC) + frame_record(b"")))

    assert [(frame.number, frame.offset) for frame in frames] == [(0, 0), (1, 12), (2, 28)]


@given(st.lists(WORDS, min_size=1, max_size=3), st.data())
def test_refuses_every_cut_but_those_between_records(payloads: list[bytes], data: Any) -> None:
    records = [frame_record(payload) for payload in payloads]
    whole = b"".join(records)
    between = {sum(map(len, records[:count])) for count in range(len(records) + 1)}
    cut = data.draw(st.integers(0, len(whole)).filter(lambda size: size not in between))

    with pytest.raises(RecordIOError, match=r"^record \d+ at byte \d+: .*; the file is cut short or damaged"):
        read(whole[:cut])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\3\4....", "record 1 at byte 12: starts with 50 4b 03 04, not with RecordIO's 0a 23 d7 ce; "),
        (MAGIC + b"\5\0\0", "record 1 at byte 12: ends within its header; the file is cut short"),
        (MAGIC + b"\5\0\0\0abc", "record 1 at byte 12: has 3 of its 8 bytes; the file is cut short"),
        (MAGIC + b"\0\0\0\x40", "record 1 at byte 12: starts with part 2 of a split record"),
        (MAGIC + b"\0\0\0\x20", "record 1 at byte 12: is split and its last part is missing"),
        (MAGIC + b"\0\0\0\x20" + frame_record(b""), "record 1 at byte 12: is split and its last part is missing"),
        (MAGIC + b"\0\0\0\xe0", "record 1 at byte 12: starts with part 7 of a split record"),
    ],
)
def test_says_which_record_is_damaged(content: bytes, message: str) -> None:
    with pytest.raises(RecordIOError) as raised:
        read(frame_record(b"ok") + content)

    assert str(raised.value).startswith(message)


def test_takes_no_memory_for_a_length_that_is_not_there() -> None:
    longest = MAGIC + LONGEST.to_bytes(4, "little")

    with pytest.raises(RecordIOError, match=r"has 2 of its 536,870,912 bytes"):
        read(longest + b"ab")


def test_refuses_a_record_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "LONGEST", 1000)

    with pytest.raises(
        RecordIOError, match=r"a record of 1,001 bytes; RecordIO holds at most 1,000 in one, so split it"
    ):
        frame_record(bytes(1001))
