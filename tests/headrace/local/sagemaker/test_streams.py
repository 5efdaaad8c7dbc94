import gzip
from collections.abc import Sequence
from typing import Any

import pytest

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.shards import Shard
from headrace.local.sagemaker.streams import ChannelStream, parse_augmented_manifest
from headrace.recordio.framing import frame_record
from headrace.s3.addresses import S3Address
from tests.headrace.local.sagemaker.fakes import FakeS3

MANIFEST = S3Address("raw", "train.manifest")
EPOCHS = range(6)


def stream(count: int = 12, seed: int | None = None, shard: Shard | None = None, **changes: Any) -> ChannelStream:
    entries = [(f"{number:02}".encode(),) for number in range(count)]
    given: dict[str, Any] = {"s3": FakeS3(), "entries": entries, "is_wrapped": False, "is_compressed": False}
    return ChannelStream(**given | changes, seed=seed, shard=shard or Shard())


def read(channel: ChannelStream, epoch: int = 0) -> list[bytes]:
    return list(channel.read_epoch(epoch))


def test_sends_the_same_in_every_epoch_without_a_seed() -> None:
    assert [read(stream(3), epoch) for epoch in range(2)] == [[b"00", b"01", b"02"]] * 2


def test_sends_each_entry_once_an_epoch_and_in_another_order_each_time() -> None:
    orders = [read(stream(seed=7), epoch) for epoch in EPOCHS]

    assert all(sorted(order) == read(stream()) for order in orders)
    assert len({tuple(order) for order in orders}) == len(EPOCHS)


def test_repeats_the_orders_of_a_seed_and_of_no_other() -> None:
    assert read(stream(seed=7), 3) == read(stream(seed=7), 3)
    assert read(stream(seed=7), 3) != read(stream(seed=8), 3)


@pytest.mark.parametrize("seed", [None, 7])
def test_divides_every_epoch_among_the_instances(seed: int | None) -> None:
    for epoch in EPOCHS:
        parts = [read(stream(seed=seed, shard=Shard(index, 5)), epoch) for index in range(5)]

        assert sorted(entry for part in parts for entry in part) == read(stream())
        assert {len(part) for part in parts} == {2, 3}


def test_sends_an_entry_to_another_instance_in_another_epoch_when_it_shuffles() -> None:
    parts = {frozenset(read(stream(seed=7, shard=Shard(0, 3)), epoch)) for epoch in EPOCHS}

    assert len(parts) > 1


def test_gives_an_instance_nothing_when_there_are_fewer_objects_than_instances() -> None:
    assert read(stream(2, shard=Shard(2, 3))) == []


def test_wraps_every_part_of_an_entry_in_a_record_of_its_own() -> None:
    s3 = FakeS3("raw")
    s3.put("raw", "1.jpg", b"picture")

    sent = read(stream(s3=s3, entries=[(S3Address("raw", "1.jpg"), b"[0]")], is_wrapped=True))

    assert b"".join(sent) == frame_record(b"picture") + frame_record(b"[0]")


def test_unpacks_objects() -> None:
    s3 = FakeS3("raw")
    s3.put("raw", "a.gz", gzip.compress(b"1,2\n", mtime=0) + gzip.compress(b"3,4\n", mtime=0))

    assert b"".join(read(stream(s3=s3, entries=[(S3Address("raw", "a.gz"),)], is_compressed=True))) == b"1,2\n3,4\n"


@pytest.mark.parametrize(
    "content", [b"1,2\n", gzip.compress(b"1,2\n", mtime=0)[:-4], gzip.compress(b"1" * 99, mtime=0)[:-20]]
)
def test_says_which_object_cannot_be_unpacked(content: bytes) -> None:
    s3 = FakeS3("raw")
    s3.put("raw", "a.gz", content)

    with pytest.raises(JobDataError, match=r"s3://raw/a\.gz is not gzip, or damaged"):
        read(stream(s3=s3, entries=[(S3Address("raw", "a.gz"),)], is_compressed=True))


def parse(content: str, attributes: Sequence[str] = ("source-ref", "class")) -> list[tuple[S3Address | bytes, ...]]:
    return parse_augmented_manifest(MANIFEST, content.encode(), attributes)


def test_takes_the_attributes_of_a_line_in_their_order() -> None:
    line = '{"class": 1, "source-ref": "s3://raw/1.jpg", "class-metadata": {}}\n'

    assert parse(line) == [(S3Address("raw", "1.jpg"), b"1")]
    assert parse(line, ("class", "source-ref")) == [(b"1", S3Address("raw", "1.jpg"))]


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ('"Call me Ishmael"', "Call me Ishmael"),
        ("[1, 0]", "[1, 0]"),
        ('{"annotations":[{"class_id":0}]}', '{"annotations": [{"class_id": 0}]}'),
        ('"Käfer"', "Käfer"),
        ("null", "null"),
    ],
)
def test_sends_a_text_as_it_is_and_anything_else_as_json(value: str, sent: str) -> None:
    assert parse(f'{{"label": {value}}}', ["label"]) == [(sent.encode(),)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no lines"),
        ("\n\n", "has no lines"),
        ('{"class": 1}\n', 'line 1: has no attribute "source-ref", which AttributeNames asks for; it has class'),
        (
            '{"source-ref": "s3://raw/1.jpg", "class": 1}\n\n{"source-ref": "s3://raw/1.jpg"}',
            "line 3: has no attribute",
        ),
        ('{"source-ref": "1.jpg", "class": 1}', "line 1, source-ref: '1.jpg' is not an address in S3"),
        ('{"source-ref": 1, "class": 1}', "line 1, source-ref: '1' is not an address in S3"),
        ("[1]", "line 1: .* expected an object"),
        ("{", "line 1: not JSON"),
    ],
)
def test_refuses_an_augmented_manifest(content: str, message: str) -> None:
    with pytest.raises(JobDataError, match=message):
        parse(content)
