from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.lst import Change, ListError, ListRow, diff_lists, write_lst
from tests.examples import count_examples
from tests.headrace.lst.lists import find_real, read, write

ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=8)


def list_changes(before: Path, after: Path) -> list[tuple[object, ...]]:
    with diff_lists(before, after) as diff:
        return [astuple(row) for row in diff.read_rows()]


@pytest.mark.parametrize(
    ("row", "change"),
    [
        (None, ("removed", 7, None, "1", None, "b", None)),
        ("7 2 b", ("relabelled", 7, 7, "1", "2", "b", "b")),
        ("7 1 new/b", ("moved", 7, 7, "1", "1", "b", "new/b")),
        ("9 1 b", ("renumbered", 7, 9, "1", "1", "b", "b")),
    ],
)
def test_says_what_happened_to_a_row(tmp_path: Path, row: str | None, change: tuple[object, ...]) -> None:
    before = write(tmp_path / "before.lst", "0 0 a", "7 1 b")
    after = write(tmp_path / "after.lst", *([row] if row else []), "0 0 a")

    assert list_changes(before, after) == [change]


def test_finds_rows_that_were_added(tmp_path: Path) -> None:
    before = write(tmp_path / "before.lst", "0 0 a")
    after = write(tmp_path / "after.lst", "5 1 b", "0 0 a")

    assert list_changes(before, after) == [("added", None, 5, None, "1", None, "b")]


def test_finds_nothing_when_only_the_writing_differs(tmp_path: Path) -> None:
    (tmp_path / "before.lst").write_bytes(b"\xef\xbb\xbf0\t1.000000\ta\r\n\r\n 7\t0\tb")

    assert list_changes(tmp_path / "before.lst", write(tmp_path / "after.lst", "7 0 b", "0 1 a")) == []


def test_counts_changes_per_class(tmp_path: Path) -> None:
    before = write(tmp_path / "before.lst", "0 0 a", "1 0 b", "2 1 c")
    after = write(tmp_path / "after.lst", "0 2 a", "1 2 b", "3 1 d")

    with diff_lists(before, after) as diff:
        assert {change.value: count for change, count in diff.count().items()} == {
            "added": 1,
            "removed": 1,
            "relabelled": 2,
            "moved": 0,
            "renumbered": 0,
        }
        assert [astuple(change) for change in diff.count_by_class()] == [
            ("added", None, "1", 1),
            ("relabelled", "0", "2", 2),
            ("removed", "1", None, 1),
        ]


def test_compares_lists_of_several_labels(tmp_path: Path) -> None:
    before = write(tmp_path / "before.lst", "0 1.000000 0.500 a", "1 0 1 b")
    after = write(tmp_path / "after.lst", "0 1 0.5 a", "1 1 1 b")

    assert list_changes(before, after) == [("relabelled", 1, 1, "0\t1", "1\t1", "b", "b")]


def test_writes_the_rows_as_they_are_now(tmp_path: Path) -> None:
    before = write(tmp_path / "before.lst", "0 0 a", "1 0 b")
    after = write(tmp_path / "after.lst", "0 1 a", "5 0 c")

    with diff_lists(before, after) as diff:
        diff.write_lst(tmp_path / "now.lst", {Change.ADDED, Change.RELABELLED})
        diff.write_lst(tmp_path / "gone.lst", {Change.REMOVED})

    assert read(tmp_path / "now.lst") == ["0 1 a", "5 0 c"]
    assert read(tmp_path / "gone.lst") == ["1 0 b"]


def test_keeps_what_is_no_more_out_of_a_list_of_what_is(tmp_path: Path) -> None:
    path = write(tmp_path / "images.lst", "0 0 a")

    with diff_lists(path, path) as diff, pytest.raises(ListError, match="not both; write two lists"):
        diff.write_lst(tmp_path / "changes.lst", tuple(Change))

    assert not (tmp_path / "changes.lst").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x 0 b", "line 2: index 'x' is not a whole number"),
        ("1.5 0 b", "line 2: index '1.5' is not a whole number"),
        ("1 b", "line 2: expected an index, a class and a path with tabs between them, found 2 fields"),
        ("1 0 ", "line 2: the path is empty"),
    ],
)
def test_says_on_which_line_a_changed_row_is_wrong(tmp_path: Path, row: str, message: str) -> None:
    before = write(tmp_path / "before.lst", "0 0 a")
    after = write(tmp_path / "after.lst", "0 0 a", row)

    with pytest.raises(ListError) as raised, diff_lists(before, after):
        pass

    assert str(raised.value) == f"{after}, {message}"


def test_refuses_a_path_that_is_added_twice(tmp_path: Path) -> None:
    before = write(tmp_path / "before.lst", "0 0 a")
    after = write(tmp_path / "after.lst", "1 0 b", "2 0 b")

    with pytest.raises(ListError, match="has b more than once"), diff_lists(before, after):
        pass


def test_refuses_lists_of_different_kinds(tmp_path: Path) -> None:
    before = write(tmp_path / "before.lst", "0 0 a")
    after = write(tmp_path / "after.lst", "0 0 1 a")

    with pytest.raises(ListError, match=r"1 label columns and .* has 2"), diff_lists(before, after):
        pass


@settings(max_examples=count_examples(15), deadline=None)
@given(before=ROWS, after=ROWS)
def test_explains_every_difference(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    lists = [
        [ListRow(index * 10 + ord(path) % 10, label, path) for path, (index, label) in rows.items()]
        for rows in (before, after)
    ]
    for name, rows in zip(("before", "after"), lists, strict=True):
        write_lst(folder / f"{name}.lst", rows)

    changed = list_changes(folder / "before.lst", folder / "after.lst")

    restored = {row.path: (row.index, str(row.label)) for row in lists[0]}
    for *_, old_path, _ in changed:
        if old_path is not None:
            del restored[str(old_path)]
    for _, _, index, _, label, _, new_path in changed:
        if new_path is not None:
            restored[str(new_path)] = (int(str(index)), str(label))
    assert restored == {row.path: (row.index, str(row.label)) for row in lists[1]}


def test_compares_real_lists() -> None:
    with diff_lists(find_real("scones_train.lst"), find_real("scones_test.lst")) as diff:
        count = diff.count()

    # Eight rows of the one have the index and the label of a row of the other.
    assert (count[Change.REMOVED], count[Change.ADDED], count[Change.MOVED]) == (1992, 392, 8)


@pytest.mark.parametrize(
    ("before", "after", "labels"),
    [
        ("0 2 5 0 0 0 1 1 a", "0 2 5 0 0.0 0 1.00 1 2 0.5 0.5 1 1 a", ("2\t5\t0\t0\t0\t1\t1", 12)),
        ("0 0.750000 a", "0 1.0 a", ("0.75", 1)),
    ],
    ids=["boxes", "numbers"],
)
def test_compares_lists_of_other_kinds(tmp_path: Path, before: str, after: str, labels: tuple[str, int]) -> None:
    other = "1 2 5 0 0 0 1 1 b" if " 2 5 " in before else "1 0.5 b"
    lists = write(tmp_path / "before.lst", before, other), write(tmp_path / "after.lst", after, other)

    with diff_lists(*lists) as diff:
        (row,) = diff.read_rows()

    assert row.change == Change.RELABELLED
    assert row.label_before == labels[0]
    assert len(str(row.label_after).split("\t")) == labels[1]


def test_compares_indices_of_64_bits(tmp_path: Path) -> None:
    lists = (
        write(tmp_path / "before.lst", "18446744073709551614 0 a"),
        write(tmp_path / "after.lst", f"{2**64 - 1} 0 a"),
    )

    with diff_lists(*lists) as diff:
        (row,) = diff.read_rows()

    assert (row.change, row.index_before, row.index_after) == (Change.RENUMBERED, 2**64 - 2, 2**64 - 1)
