import io
import json
from collections.abc import Collection

import pytest

from containers.normalizer.failures import SourceError
from containers.normalizer.manifest import Manifest
from headrace.s3.addresses import S3Address

NORMALIZED = S3Address("work", "normalized/")


def make_manifest(*lines: str | bytes) -> Manifest:
    text = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return Manifest(S3Address("raw", "train.manifest"), io.BytesIO(text))


def normalized(manifest: Manifest, without: Collection[int] = ()) -> list[str]:
    target = io.BytesIO()
    manifest.write_normalized(target, NORMALIZED, without)
    return target.getvalue().decode().splitlines()


def refer(address: str, **more: object) -> str:
    return json.dumps({"source-ref": address, **more})


def test_finds_the_image_of_every_line() -> None:
    manifest = make_manifest(refer("s3://raw/a.jpg"), "", refer("s3://other/b/ä b.png"))

    manifest.check()

    found = [(str(found.place), found.path, found.line) for found in manifest.find_photographs()]
    assert found == [
        ("s3://raw/a.jpg", "raw/a.jpg", 1),
        ("s3://other/b/ä b.png", "other/b/ä b.png", 3),
    ]


def test_keeps_everything_of_a_line_but_the_address() -> None:
    line = '{"class":3,"source-ref":"s3://raw/ä.jpg","class-metadata":{"type":"x","confidence":0.93}}'

    assert normalized(make_manifest(line)) == [line.replace("s3://raw/", "s3://work/normalized/raw/")]


def test_leaves_out_the_lines_without_a_normalized_image() -> None:
    manifest = make_manifest(*(refer(f"s3://raw/{number}.jpg") for number in range(3)))

    assert [json.loads(line)["source-ref"][-5:] for line in normalized(manifest, without={2})] == ["0.jpg", "2.jpg"]


def test_reads_a_manifest_that_begins_with_a_byte_order_mark() -> None:
    manifest = make_manifest(b"\xef\xbb\xbf" + refer("s3://raw/a.jpg").encode())

    manifest.check()
    assert [found.place.key for found in manifest.find_photographs()] == ["a.jpg"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON: Expecting property name"),
        ("[]", "an array, expected an object such as"),
        (b"\xff", "not UTF-8; save the file as UTF-8"),
        ("[" * 100_000, "not JSON: "),
        ("{}", "no 'source-ref' with the address of a photograph"),
        ('{"source": "text"}', "no 'source-ref' with the address of a photograph"),
        ('{"source-ref": 3}', "no 'source-ref' with the address of a photograph"),
        (refer("https://example.com/a.jpg"), "source-ref: 'https://example.com/a.jpg' is not an address in S3"),
        (refer("s3://raw/images/"), "source-ref: 's3://raw/images/' names no object"),
    ],
)
def test_says_which_line_is_wrong(line: str | bytes, problem: str) -> None:
    with pytest.raises(SourceError) as refused:
        make_manifest(refer("s3://raw/a.jpg"), line).check()

    assert str(refused.value).startswith(f"s3://raw/train.manifest, line 2: {problem}")
    assert str(refused.value).endswith("; correct the line or remove it")


def test_refuses_a_manifest_without_lines() -> None:
    with pytest.raises(SourceError, match="has no line; it needs one for each photograph"):
        make_manifest("\n").check()
