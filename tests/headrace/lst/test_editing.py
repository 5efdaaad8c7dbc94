from pathlib import Path

import pytest

from headrace.lst import (
    Change,
    Key,
    ListError,
    ListKind,
    add_rows,
    diff_lists,
    hash_path,
    merge_lists,
    relabel_classes,
    remove_rows,
    replace_rows,
    sample_classes,
    split_list,
)
from tests.headrace.lst.lists import find_real, read, write


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output.lst"


def test_merges_lists_one_after_the_other(tmp_path: Path, output: Path) -> None:
    first = write(tmp_path / "1.lst", "5 0 b", "3 1 a")
    second = write(tmp_path / "2.lst", "9 1 a", "1 1 c")

    merge_lists([first, second], output)

    assert read(output) == ["5 0 b", "3 1 a", "1 1 c"]


def test_refuses_to_merge_different_labels_of_a_path(tmp_path: Path, output: Path) -> None:
    lists = [write(tmp_path / "1.lst", "0 0 a"), write(tmp_path / "2.lst", "1 1 a")]

    with pytest.raises(ListError, match="a has different labels in these lists; relabel or remove it"):
        merge_lists(lists, output)

    assert not output.exists()


def test_refuses_to_merge_different_paths_of_an_index(tmp_path: Path, output: Path) -> None:
    lists = [write(tmp_path / "1.lst", "0 0 a"), write(tmp_path / "2.lst", "0 0 b")]

    with pytest.raises(ListError, match=r"index 0 is that of a and of b\nindices are unique; .* --renumber"):
        merge_lists(lists, output)


def test_numbers_rows_by_their_paths_when_asked(tmp_path: Path, output: Path) -> None:
    lists = [write(tmp_path / "1.lst", "0 0 a"), write(tmp_path / "2.lst", "0 0 b")]

    merge_lists(lists, output, renumber=True)

    assert read(output) == [f"{hash_path('a')} 0 a", f"{hash_path('b')} 0 b"]


def test_refuses_to_merge_lists_of_different_kinds(tmp_path: Path, output: Path) -> None:
    lists = [write(tmp_path / "1.lst", "0 0 a"), write(tmp_path / "2.lst", "1 0 1 b")]

    with pytest.raises(ListError, match=r"differ in their number of label columns: .*1\.lst has 1, .*2\.lst has 2"):
        merge_lists(lists, output)


def test_merges_real_lists_that_share_indices(output: Path) -> None:
    lists = [find_real("scones_train.lst"), find_real("scones_test.lst")]

    merge_lists(lists, output, renumber=True)

    assert [row.split()[1:] for row in read(output)] == [row.split()[1:] for path in lists for row in read(path)]


def test_relabels_classes_and_merges_them(tmp_path: Path, output: Path) -> None:
    path = write(tmp_path / "all.lst", "0 0 a", "1 1 b", "2 2 c")

    relabel_classes(path, output, {2: 1, 0: 1, 1: 0})

    assert read(output) == ["0 1 a", "1 0 b", "2 1 c"]


def test_refuses_to_relabel_a_class_that_is_not_there(tmp_path: Path, output: Path) -> None:
    with pytest.raises(ListError, match=r"7 is not a class of .*all\.lst"):
        relabel_classes(write(tmp_path / "all.lst", "0 0 a"), output, {7: 1})


def test_refuses_to_relabel_several_labels(tmp_path: Path, output: Path) -> None:
    with pytest.raises(ListError, match="has several labels"):
        relabel_classes(write(tmp_path / "all.lst", "0 0 1 a"), output, {0: 1})


def test_adds_rows_behind_those_of_the_list(tmp_path: Path) -> None:
    path = write(tmp_path / "all.lst", "5 0 a")

    add_rows(path, write(tmp_path / "new.lst", "3 1.000 b"), path)

    assert read(path) == ["5 0 a", "3 1 b"]


@pytest.mark.parametrize(
    ("row", "message"),
    [("1 0 a", "a is in the list already; use `headrace lst replace`"), ("5 0 b", "index 5 is that")],
)
def test_refuses_to_add_what_is_there(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path / "all.lst", "5 0 a")

    with pytest.raises(ListError, match=message):
        add_rows(path, write(tmp_path / "new.lst", row), path)

    assert read(path) == ["5 0 a"]


def test_removes_rows(tmp_path: Path, output: Path) -> None:
    remove_rows(write(tmp_path / "all.lst", "2 0 a", "1 1 b", "0 0 c"), ["b"], output)

    assert read(output) == ["2 0 a", "0 0 c"]


def test_names_the_first_of_many_paths_that_cannot_be_removed(tmp_path: Path, output: Path) -> None:
    path = write(tmp_path / "all.lst", "2 0 a")

    with pytest.raises(ListError) as raised:
        remove_rows(path, "zyxw", output)

    assert str(raised.value) == f"z is not in {path}\ny is not in {path}\nx is not in {path}\nand more"


@pytest.mark.parametrize(("key", "row"), [(Key.PATH, "9 1 b"), (Key.INDEX, "1 0 new/b")])
def test_replaces_rows_where_they_stand(tmp_path: Path, output: Path, key: Key, row: str) -> None:
    path = write(tmp_path / "all.lst", "2 0 a", "1 0 b", "0 0 c")

    replace_rows(path, write(tmp_path / "new.lst", row), output, key=key)

    assert read(output) == ["2 0 a", row, "0 0 c"]


@pytest.mark.parametrize(
    ("key", "rows", "message"),
    [
        (Key.PATH, ["9 1 z"], r"z is not in .*all\.lst; use `headrace lst add`"),
        (Key.INDEX, ["9 1 a"], r"9 is not in .*all\.lst"),
        (Key.PATH, ["8 0 a", "9 0 a"], "a is more than once in"),
        (Key.PATH, ["1 0 a"], "index 1 is that of a and of b"),
        (Key.INDEX, ["1 0 a"], "a would occur twice in the list"),
    ],
)
def test_refuses_replacements_that_do_not_fit(
    tmp_path: Path, output: Path, key: Key, rows: list[str], message: str
) -> None:
    path = write(tmp_path / "all.lst", "2 0 a", "1 0 b")

    with pytest.raises(ListError, match=message):
        replace_rows(path, write(tmp_path / "new.lst", *rows), output, key=key)


def test_edits_lists_of_several_labels(tmp_path: Path, output: Path) -> None:
    path = write(tmp_path / "all.lst", "0 1.000000 0.250000 a", "1 0.000000 1.000000 b")

    remove_rows(path, ["b"], output)

    assert read(output) == ["0 1 0.25 a"]


BOXES = [
    "0 4 5 780 438 0 0.1 0.1 0.5 0.5 0.jpg",
    "1 4 5 800 533 0 0.1 0.1 0.5 0.5 1 0.2 0.2 0.6 0.6 1.jpg",
    "18446744073709551615 2 5 3 0 0 1 1 2.jpg",
]
NUMBERS = ["0 0.75 a", "1 1 b", "2 -3.5 c"]


@pytest.mark.parametrize("rows", [BOXES, NUMBERS], ids=["boxes", "numbers"])
def test_splits_and_merges_lists_of_other_kinds(tmp_path: Path, output: Path, rows: list[str]) -> None:
    everything = write(tmp_path / "all.lst", *rows)

    split_list(everything, tmp_path / "train.lst", tmp_path / "validation.lst", ratio=0.4)
    merge_lists([tmp_path / "train.lst", tmp_path / "validation.lst"], output)

    assert read(tmp_path / "validation.lst")
    assert sorted(read(output)) == sorted(rows)


def test_writes_numbers_in_their_shortest_form(tmp_path: Path, output: Path) -> None:
    merge_lists([write(tmp_path / "all.lst", "0 1e-05 a", "1 2.50e2 b", "2 .5 c", "3 +7 d")], output)

    assert read(output) == ["0 0.00001 a", "1 250 b", "2 0.5 c", "3 7 d"]


def test_edits_numbers_that_look_like_classes_where_they_are_meant(tmp_path: Path, output: Path) -> None:
    kind, train, held_out = ListKind.NUMBER, tmp_path / "train.lst", tmp_path / "validation.lst"
    everything = write(
        tmp_path / "all.lst", *(f"{number} {number} {number}.jpg" for number in range(40)), "40 -1 x.jpg"
    )
    news, fewer = write(tmp_path / "new.lst", "50 3 y.jpg"), write(tmp_path / "one.lst", "7 0.5 7.jpg")

    split_list(everything, train, held_out, ratio=0.5, kind=kind)
    merge_lists([train, held_out], output, kind=kind)
    add_rows(output, news, output, kind=kind)
    replace_rows(output, fewer, output, kind=kind)
    remove_rows(output, ["x.jpg"], output, kind=kind)

    assert 10 < len(read(held_out)) < 30
    assert sorted(read(output)) == sorted(
        [*(f"{number} {number} {number}.jpg" for number in range(40) if number != 7), "50 3 y.jpg", "7 0.5 7.jpg"]
    )
    with diff_lists(everything, output, kind=kind) as diff:
        assert diff.count() == {
            Change.ADDED: 1,
            Change.REMOVED: 1,
            Change.RELABELLED: 1,
            Change.MOVED: 0,
            Change.RENUMBERED: 0,
        }


def test_refuses_numbers_where_classes_are_meant(tmp_path: Path, output: Path) -> None:
    everything = write(tmp_path / "all.lst", "0 1.5 a", "1 2.5 b")

    with pytest.raises(ListError, match=r"line 1: class '1\.5' is not a whole number from 0"):
        merge_lists([everything], output, kind=ListKind.CLASS)


def test_replaces_rows_of_boxes(tmp_path: Path, output: Path) -> None:
    everything, news = write(tmp_path / "all.lst", *BOXES), write(tmp_path / "new.lst", "5 2 5 0 0 0 0.5 0.5 1.jpg")

    replace_rows(everything, news, output)

    assert read(output) == [BOXES[0], "5 2 5 0 0 0 0.5 0.5 1.jpg", BOXES[2]]


def test_refuses_to_edit_rows_of_boxes_that_are_not_well_formed(tmp_path: Path, output: Path) -> None:
    everything = write(tmp_path / "all.lst", *BOXES, "7 x y z.jpg")

    with pytest.raises(ListError, match="line 4: label 'x' is not a number"):
        merge_lists([everything], output)


def test_refuses_to_relabel_boxes_and_numbers(tmp_path: Path, output: Path) -> None:
    for rows in (BOXES, NUMBERS):
        with pytest.raises(ListError, match="only lists of one class per image can be relabelled"):
            relabel_classes(write(tmp_path / "all.lst", *rows), output, {0: 1})


def test_keeps_indices_of_64_bits(tmp_path: Path, output: Path) -> None:
    rows = ["9223372036854775808 0 a", "18446744073709551615 1 b", "1234567890123456789 0 c"]

    merge_lists([write(tmp_path / "1.lst", *rows[:2]), write(tmp_path / "2.lst", rows[2])], output)

    assert read(output) == rows


def test_samples_so_many_rows_of_each_class(tmp_path: Path, everything: Path, output: Path) -> None:
    assert sample_classes(everything, output, 7) == {}

    rows = read(output)
    assert [sum(row.split()[1] == label for row in rows) for label in "01"] == [7, 7]
    assert rows == [row for row in read(everything) if row in rows]
    sample_classes(everything, tmp_path / "other.lst", 7, seed=1)
    assert read(tmp_path / "other.lst") != rows


def test_tells_classes_that_have_fewer_rows(tmp_path: Path, output: Path) -> None:
    assert sample_classes(write(tmp_path / "all.lst", "0 0 a", "1 0 b", "2 1 c"), output, 2) == {1: 1}
    assert len(read(output)) == 3


def test_splits_a_class_by_its_paths(tmp_path: Path, output: Path) -> None:
    everything = write(tmp_path / "all.lst", "0 3 dog/poodle1", "1 3 dog/pug1", "2 2 poodle/x")

    relabel_classes(everything, output, {3: 7}, where="poodle")

    assert read(output) == ["0 7 dog/poodle1", "1 3 dog/pug1", "2 2 poodle/x"]
    with pytest.raises(ListError, match="3 has no image whose path matches 'cat'"):
        relabel_classes(everything, output, {3: 7}, where="cat")
