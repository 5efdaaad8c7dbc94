from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.lst import Change, diff_lists, matching
from headrace.lst.matching import find_unmatched

# Few lines, so that many are the same, some of which begin or end like others.
LINES = st.lists(st.sampled_from([b"0\t1\ta", b"0\t1\tab", b"0\t1\tb", b"", b"\r", b"1\t0\ta"]), max_size=40)


def write(folder: Path, name: str, lines: Sequence[bytes], end: bytes = b"\n") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(lines) + end if lines else b"")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


@given(LINES, LINES, st.sampled_from([b"", b"\n"]), st.integers(8, 64), st.integers(1, 64))
def test_leaves_out_each_line_as_often_as_both_have_it(
    folder: Path, before: list[bytes], after: list[bytes], end: bytes, ahead: int, window: int
) -> None:
    files = write(folder, "before", before), write(folder, "after", after, end)
    # Without the end of a last line that is empty, it is not there.
    lines = after[:-1] if not end and after and not after[-1] else after

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "AHEAD_BYTES", ahead)
        patch.setattr(matching, "WINDOW_BYTES", window)
        found = find_unmatched(*files)

    assert found is not None
    assert Counter(found[0]) == Counter(before) - Counter(lines)
    assert Counter(found[1]) == Counter(lines) - Counter(before)


def test_goes_on_behind_what_was_put_in_taken_out_and_moved(tmp_path: Path) -> None:
    before = [f"{row}\t{row % 7}\t{row}.jpg".encode() for row in range(100_000)]
    new = [f"{row}\t0\tnew.jpg".encode() for row in range(1000)]
    after = before[1000:5000] + new + before[5000:60_000] + before[65_000:] + before[:1000]

    found = find_unmatched(write(tmp_path, "before", before), write(tmp_path, "after", after))

    assert found == (before[60_000:65_000], new)


@pytest.fixture
def lines_in_order(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Lines of which few enough may be apart that these are too many in another order."""
    monkeypatch.setattr(matching, "LEAST_LINES", 500)
    return [f"{row}\t0\t{row}.jpg".encode() for row in range(1_500)]


def test_gives_up_lists_with_no_order_in_common(tmp_path: Path, lines_in_order: list[bytes]) -> None:
    lines = lines_in_order

    assert find_unmatched(write(tmp_path, "before", lines), write(tmp_path, "after", lines[::-1])) is None


def test_gives_up_a_line_that_no_list_has(tmp_path: Path) -> None:
    lines = [b"x" * 10_000_000, b"y"]

    assert find_unmatched(write(tmp_path, "before", lines), write(tmp_path, "after", lines[1:])) is None


def test_compares_lists_with_no_order_in_common(tmp_path: Path, lines_in_order: list[bytes]) -> None:
    lines = lines_in_order
    after = [*lines[:0:-1], b"0\t1\t0.jpg"]

    with diff_lists(write(tmp_path, "before", lines), write(tmp_path, "after", after)) as diff:
        assert {change: count for change, count in diff.count().items() if count} == {Change.RELABELLED: 1}
