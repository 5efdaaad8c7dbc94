"""ETags, computed and understood."""

from hashlib import md5
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.data.checksums import MIB, choose_part_size, count_parts, fit_part_sizes, hash_bytes, hash_file, is_same


@given(st.binary(max_size=100), st.integers(1, 40))
def test_hashes_parts_as_s3_does(tmp_path_factory: pytest.TempPathFactory, content: bytes, part_size: int) -> None:
    path = tmp_path_factory.mktemp("parts") / "file"
    path.write_bytes(content)
    parts = [content[start : start + part_size] for start in range(0, len(content), part_size)]
    digests = b"".join(md5(part, usedforsecurity=False).digest() for part in parts)

    assert hash_file(path, part_size) == f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def test_hashes_a_file_as_its_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    assert hash_file(tmp_path / "file") == hash_bytes(b"content") == md5(b"content", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("etag", "parts"),
    [
        ('"098cd5b2ce0d2b7ad33ed1b733a365e1"', 0),
        ("098cd5b2ce0d2b7ad33ed1b733a365e1-12", 12),
        ('"098cd5b2ce0d2b7ad33ed1b733a365e1-x"', None),
        ("", None),
    ],
)
def test_reads_the_number_of_parts(etag: str, parts: int | None) -> None:
    assert count_parts(etag) == parts


@pytest.mark.parametrize(
    ("size", "part_size"),
    [(1, 8 * MIB), (80_000 * MIB, 8 * MIB), (80_000 * MIB + 1, 16 * MIB), (5 * MIB**2, 1024 * MIB)],
)
def test_cuts_nothing_into_more_parts_than_s3_takes(size: int, part_size: int) -> None:
    assert choose_part_size(size) == part_size


def test_guesses_part_sizes_that_fit() -> None:
    assert fit_part_sizes(20 * MIB, 3) == [8 * MIB]
    assert fit_part_sizes(20 * MIB, 2) == [16 * MIB, 15 * MIB, 10 * MIB]


def test_compares_etags_without_their_quotes() -> None:
    assert is_same('"a"', "a")
    assert not is_same('"a"', "b")
