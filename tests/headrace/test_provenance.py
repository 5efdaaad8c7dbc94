import hashlib
import io
import json

import pytest

from headrace.provenance import InputFile, ProvenanceError, dump_inputs, find_fingerprint, read_inputs

CAT = InputFile("cats/1.jpg", "a" * 64, 10)
DOG = InputFile("dögs/\udcff.jpg", "b" * 64, 0)
CHANNELS = {"train": [DOG, CAT], "train_lst": []}


def test_gives_the_same_fingerprint_in_whatever_order_files_were_read() -> None:
    assert dump_inputs(CHANNELS) == dump_inputs({"train_lst": [], "train": [CAT, DOG, CAT]})


@pytest.mark.parametrize(
    "other", [InputFile("cats/2.jpg", "a" * 64, 10), InputFile("cats/1.jpg", "c" * 64, 10), InputFile("dogs", "b", 0)]
)
def test_gives_other_files_another_fingerprint(other: InputFile) -> None:
    assert (
        json.loads(dump_inputs({"train": [other]}))["fingerprint"]
        != (json.loads(dump_inputs({"train": [CAT]}))["fingerprint"])
    )


def test_fingerprints_the_text_of_the_channels() -> None:
    document = json.loads(dump_inputs(CHANNELS))
    canonical = json.dumps(document["channels"], sort_keys=True, separators=(",", ":"))

    assert document["fingerprint"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert find_fingerprint(io.BytesIO(dump_inputs(CHANNELS))) == document["fingerprint"]


def test_reads_what_it_writes() -> None:
    assert read_inputs(dump_inputs(CHANNELS)) == {"train": [CAT, DOG], "train_lst": []}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff",
        b'{"channels":{},"fingerprint":"' + b"0" * 64 + b'"}',
        dump_inputs(CHANNELS) + b"\n",
        dump_inputs(CHANNELS).replace(b"cats", b"bats"),
        dump_inputs(CHANNELS).replace(b'"size":10', b'"size":"10"'),
        dump_inputs(CHANNELS).replace(b'"size"', b'"length"'),
        json.dumps(json.loads(dump_inputs(CHANNELS))).encode(),
    ],
)
def test_refuses_what_no_job_has_written(content: bytes) -> None:
    with pytest.raises(ProvenanceError, match=r"^inputs\.json: "):
        read_inputs(content)
    with pytest.raises(ProvenanceError, match=r"^inputs\.json: "):
        find_fingerprint(io.BytesIO(content))
