from pathlib import Path

import pytest

from headrace.lst import ListError, check_list
from tests.headrace.lst.lists import find_real, write


def check(path: Path, content: str | bytes, *, several_labels: bool = False) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [str(problem) for problem in check_list(path, several_labels=several_labels)]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("0 0 a.jpg\n", ["line 1: expected an index, a class and a path with tabs between them, found 1 fields"]),
        (
            "0\t0\ta.jpg\n1\t0\n",
            ["line 2: expected an index, a class and a path with tabs between them, found 2 fields"],
        ),
        ("0\t0\ta.jpg\n1.5\t0\tb.jpg\n", ["line 2: index '1.5' is not a whole number"]),
        ("0\t0\ta.jpg\n1e3\t0\tb.jpg\n", ["line 2: index '1e3' is not a whole number"]),
        ("0\t0\ta.jpg\n-1\t0\tb.jpg\n", ["line 2: index '-1' is not a whole number"]),
        ("0\t0\ta.jpg\n1\t0.5\tb.jpg\n", ["line 2: class '0.5' is not a whole number from 0"]),
        ("0\t0\ta.jpg\n1\tcat\tb.jpg\n", ["line 2: class 'cat' is not a whole number from 0"]),
        ("0\t0\ta.jpg\n1\t0\t \n", ["line 2: the path is empty"]),
        ("0\t0\ta.jpg\n1\t0\t\n", ["line 2: the path is empty"]),
        (b"0\t0\ta.jpg\n1\t0\t\xe4.jpg\n", ["line 2: not UTF-8; save the file as UTF-8"]),
        ("4\t0\ta.jpg\n4\t0\tb.jpg\n", ["line 2: index 4 is that of line 1, too; indices are unique"]),
        ("4\t0\ta.jpg\n5\t0\ta.jpg\n", ["line 2: a.jpg is on line 1, too; list each image once"]),
        (
            "0\t1\ta.jpg\n1\t5\tb.jpg\n",
            [
                "classes are 0 to 5, but 0, 2 to 4 has no image; number them without gaps (`headrace lst relabel`)",
            ],
        ),
        ("", ["the list has no rows"]),
    ],
)
def test_names_each_problem_with_its_line(tmp_path: Path, content: str | bytes, problems: list[str]) -> None:
    assert check(tmp_path / "images.lst", content) == problems


@pytest.mark.parametrize(
    "content", ["0\t0\ta.jpg\n1\t1\tb c.jpg", "\ufeff0\t0.000000\ta.jpg\r\n\r\n 1\t1\tb.jpg\r\n", '0\t0\t"a\n']
)
def test_finds_nothing_when_a_list_is_well_formed(tmp_path: Path, content: str) -> None:
    assert check(tmp_path / "images.lst", content) == []


def test_reports_all_problems_in_the_order_of_lines(tmp_path: Path) -> None:
    found = check(tmp_path / "images.lst", "0\t0\ta\n\nx\ty\tb\n0\t0\ta\n")

    assert found == [
        "line 3: index 'x' is not a whole number",
        "line 3: class 'y' is not a whole number from 0",
        "line 4: index 0 is that of line 1, too; indices are unique",
        "line 4: a is on line 1, too; list each image once",
    ]


def test_counts_blank_lines_when_it_names_a_line(tmp_path: Path) -> None:
    assert check(tmp_path / "images.lst", "0\t0\ta\n\n\n0\t0\tb\n") == [
        "line 4: index 0 is that of line 1, too; indices are unique"
    ]


def test_names_images_that_are_not_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    path = write(tmp_path / "images.lst", "0 0 a.jpg", "1 0 b.jpg")

    assert [str(problem) for problem in check_list(path, tmp_path)] == [f"line 2: b.jpg is not in {tmp_path}"]


def test_refuses_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="none: no such folder"):
        check_list(write(tmp_path / "images.lst", "0 0 a.jpg"), tmp_path / "none")


def test_accepts_several_labels_when_they_are_meant(tmp_path: Path) -> None:
    assert check(tmp_path / "images.lst", "0\t1.000000\t0.25\ta\n1\t0\t1\tb\n", several_labels=True) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1\t1\tb", "line 2: expected an index, 2 labels and a path with tabs between them, found 3 fields"),
        ("1\t1\tx\tb", "line 2: label 'x' is not a number"),
    ],
)
def test_names_problems_of_several_labels(tmp_path: Path, line: str, problem: str) -> None:
    assert check(tmp_path / "images.lst", f"0\t1\t0\ta\n{line}\n", several_labels=True) == [problem]


def test_expects_one_class_unless_several_labels_are_meant(tmp_path: Path) -> None:
    assert "found 4 fields" in check(tmp_path / "images.lst", "0\t1\t0\ta\n")[0]


def test_takes_wildcards_in_a_files_name_as_they_are(tmp_path: Path) -> None:
    write(tmp_path / "images.lst", "0 5 a.jpg")

    assert check_list(write(tmp_path / "image[s]*.lst", "0 0 a.jpg")) == []


@pytest.mark.parametrize("name", ["scones_train.lst", "scones_test.lst"])
def test_finds_nothing_wrong_with_real_lists(name: str) -> None:
    assert check_list(find_real(name)) == []
