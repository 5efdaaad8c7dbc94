"""Lists are divided by a hash of each path."""

from pathlib import Path
from typing import Any

import pytest

from headrace.lst import (
    ListError,
    ListRow,
    make_lists_of,
    read_lst,
    split_list,
)
from tests.headrace.lst.lists import PATHS, read, write


def split(path: Path, **options: object) -> tuple[list[ListRow], list[ListRow]]:
    train, validation = path.with_name("train.lst"), path.with_name("validation.lst")
    split_list(path, train, validation, **options)  # type: ignore[arg-type]
    return read_lst(train), read_lst(validation)


def test_splits_as_lists_are_made(everything: Path) -> None:
    _, train, validation = make_lists_of(PATHS, {"ant": "ant", "bee": "bee"}, 0.3)

    parts = split(everything, ratio=0.3)

    assert [sorted(part, key=lambda row: row.index) for part in parts] == [train, validation]


def test_keeps_the_order_of_the_list_when_it_splits(everything: Path) -> None:
    train, validation = split(everything)

    assert [row for row in read_lst(everything) if row not in validation] == train


def test_divides_another_way_with_another_seed(everything: Path) -> None:
    assert split(everything, seed=1) != split(everything, seed=2)


def test_divides_the_same_way_with_the_same_seed(everything: Path) -> None:
    assert split(everything, seed=1) == split(everything, seed=1)


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5])
def test_holds_out_the_ratio_of_each_class_when_stratified(everything: Path, ratio: float) -> None:
    _, validation = split(everything, ratio=ratio, stratified=True)

    assert [sum(row.label == label for row in validation) for label in (0, 1)] == [60 * ratio] * 2


@pytest.mark.parametrize("pattern", ["([0-9])[.]", "[0-9][.]"])
@pytest.mark.parametrize("stratified", [True, False])
def test_keeps_groups_together(everything: Path, pattern: str, stratified: bool) -> None:
    train, validation = split(everything, group_by=pattern, stratified=stratified)

    groups = [{row.path[-5] for row in part} for part in (train, validation)]
    assert groups[0]
    assert groups[1]
    assert not groups[0] & groups[1]


def test_refuses_a_group_that_is_no_regular_expression(everything: Path) -> None:
    with pytest.raises(ListError, match=r"'\(' is not a regular expression to group by"):
        split(everything, group_by="(")


def test_writes_neither_part_when_the_list_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "all.lst", "0 0 a", "x 0 b")

    with pytest.raises(ListError, match="line 2: index 'x'"):
        split(path)

    assert [file.name for file in tmp_path.iterdir()] == ["all.lst"]


def test_divides_into_three_parts(tmp_path: Path, everything: Path) -> None:
    parts = [tmp_path / f"{name}.lst" for name in ("train", "validation", "test")]

    division = split_list(everything, parts[0], parts[1], test=parts[2], ratio=0.2, test_ratio=0.1, stratified=True)

    assert (division.train, division.validation, division.test) == (84, 24, 12)
    assert [len(read(part)) for part in parts] == [84, 24, 12]
    assert sorted(row for part in parts for row in read(part)) == sorted(read(everything))


def test_holds_out_the_same_for_validation_with_and_without_a_test(tmp_path: Path, everything: Path) -> None:
    split_list(everything, tmp_path / "t.lst", tmp_path / "v.lst", seed=3)
    split_list(everything, tmp_path / "t2.lst", tmp_path / "v2.lst", test=tmp_path / "test.lst", test_ratio=0.3, seed=3)

    assert read(tmp_path / "v.lst") == read(tmp_path / "v2.lst")
    assert {row.split()[1] for row in read(tmp_path / "test.lst")} == {"0", "1"}


def test_puts_something_of_a_class_of_three_into_each_part(tmp_path: Path) -> None:
    everything = write(tmp_path / "all.lst", *(f"{n} 0 {n}" for n in range(3)))

    division = split_list(everything, tmp_path / "t.lst", tmp_path / "v.lst", test=tmp_path / "test.lst", ratio=0.01)

    assert (division.train, division.validation, division.test) == (1, 1, 1)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["0 0 a", "1 0 b"], {"group_by": "nosuch"}, "'nosuch' matches no path, so there are no groups"),
        (["0 0 a1", "1 0 a2"], {"group_by": "a"}, "nothing could be held out: no class is in two groups of 'a'"),
        (["0 0 a", "1 1 b"], {}, "nothing could be held out: no class has two images"),
        (
            ["0 0.75 a", "1 1 b", "2 -3.5 c"],
            {"stratified": True},
            "has number for labels; only lists of classes can be stratified",
        ),
        (["0 0 a", "1 0 b"], {"ratio": 0.5, "test": Path("test.lst")}, "leave nothing to train with"),
    ],
)
def test_refuses_to_divide_by_what_divides_nothing(
    tmp_path: Path, rows: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ListError, match=message):
        split_list(write(tmp_path / "all.lst", *rows), tmp_path / "t.lst", tmp_path / "v.lst", **options)

    assert [path.name for path in tmp_path.iterdir()] == ["all.lst"]


def test_counts_rows_that_have_no_group(tmp_path: Path) -> None:
    everything = write(tmp_path / "all.lst", "0 0 p1/a", "1 0 p2/a", "2 0 other", "3 0 another")

    assert split_list(everything, tmp_path / "t.lst", tmp_path / "v.lst", group_by="p[0-9]").ungrouped == 2
