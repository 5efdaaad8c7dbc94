from pathlib import Path

import pytest

from headrace.lst import ListError, ListKind, check_list
from tests.headrace.lst.lists import find_real, write


def check(path: Path, content: str | bytes, *, folder: Path | None = None, several_labels: bool = False) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [str(problem) for problem in check_list(path, folder, several_labels=several_labels)]


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
    (tmp_path / "a.jpg").write_bytes(b"a")
    path = write(tmp_path / "images.lst", "0 0 a.jpg", "1 0 b.jpg")

    assert [str(problem) for problem in check_list(path, tmp_path)] == [f"line 2: b.jpg is not in {tmp_path}"]


def test_names_images_that_are_empty_and_links_that_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "empty.jpg").touch()
    (tmp_path / "other.jpg").write_bytes(b"other")
    (folder / "link.jpg").symlink_to(tmp_path / "other.jpg")
    path = write(tmp_path / "images.lst", "0 0 empty.jpg", "1 0 link.jpg")

    assert [str(problem) for problem in check_list(path, folder)] == [
        "line 1: empty.jpg is empty; copy the image again or remove its row",
        f"line 2: link.jpg is a link that leads out of {folder}",
    ]


# The case paths.lst, and what is like it.
@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/abs/a.jpg", "/abs/a.jpg is absolute"),
        ("../b.jpg", "../b.jpg leaves its folder with .."),
        ("a/../../b.jpg", "a/../../b.jpg leaves its folder with .."),
        ("s3://raw/c.jpg", "s3://raw/c.jpg is an address or a drive"),
        ("C:/c.jpg", "C:/c.jpg is an address or a drive"),
        ("a\0.jpg", "a\0.jpg has a NUL"),
        ("sub\\e.jpg", "sub\\e.jpg has a backslash; write / between folders"),
    ],
)
def test_names_paths_that_leave_the_channel(tmp_path: Path, path: str, problem: str) -> None:
    (found,) = check(tmp_path / "images.lst", f"0\t0\t{path}\n", folder=tmp_path)

    assert found.startswith(f"line 1: {problem}")


@pytest.mark.parametrize("path", ["a..b/c.jpg", "..a/b.jpg", "a:b.jpg", "ö b/c.jpg", "./a.jpg"])
def test_takes_odd_paths_below_the_channel(tmp_path: Path, path: str) -> None:
    assert check(tmp_path / "images.lst", f"0\t0\t{path}\n") == []


def test_tells_images_listed_twice_with_different_labels(tmp_path: Path) -> None:
    assert check(tmp_path / "images.lst", "0\t0\ta\n1\t1\ta\n") == [
        "line 2: a is on line 1, too, with another label (0 there, 1 here); keep the right one"
    ]


@pytest.mark.parametrize("index", [10**18, 2**63, 2**64 - 1])
def test_takes_every_index_of_64_bits(tmp_path: Path, index: int) -> None:
    assert check(tmp_path / "images.lst", f"{index}\t0\ta\n{index - 1}\t0\tb\n") == []
    assert check(tmp_path / "images.lst", f"{index}\t0\ta\n{index}\t0\tb\n") == [
        f"line 2: index {index} is that of line 1, too; indices are unique"
    ]


def test_names_an_index_beyond_64_bits(tmp_path: Path) -> None:
    assert check(tmp_path / "images.lst", f"{2**64}\t0\ta\n") == [
        f"line 1: index {2**64} is above {2**64 - 1}, the highest of 64 bits"
    ]


BOXES = [
    "0\t4\t5\t780\t438\t0\t0.1\t0.1\t0.5\t0.5\t0.jpg",
    "1\t4\t5\t800\t533\t0\t0.1\t0.1\t0.5\t0.5\t1\t0.2\t0.2\t0.6\t0.6\t1.jpg",
]


def test_takes_lists_of_boxes_as_im2rec_packs_them(tmp_path: Path) -> None:
    assert check(tmp_path / "det.lst", "\n".join(BOXES)) == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2\t2\t5\t0\t0.1\t0.1\t1.5\t0.5\t2.jpg", "box 1 reaches outside the image: 0.1 0.1 1.5 0.5 are not fractions"),
        ("2\t2\t5\t0\t10\t10\t50\t50\t2.jpg", "box 1 reaches outside the image"),
        ("2\t2\t5\t0\t0.5\t0.1\t0.1\t0.5\t2.jpg", "box 1 is empty or inverted: left 0.5, top 0.1, right 0.1"),
        ("2\t2\t5\t0.5\t0.1\t0.1\t0.5\t0.5\t2.jpg", "box 1 has class '0.5', expected a whole number from 0"),
        ("2\t2\t5\t0\t0.1\t0.1\t0.5\t2.jpg", "has no complete box after its header"),
        ("2\t2\t5\t2.jpg", "has no complete box after its header; leave images without boxes out"),
        ("2\t0\t2.jpg", "expected an index, a header and boxes and a path with tabs between them, found 3 fields"),
        ("2\t2\t5\t0\tx\t0.1\t0.5\t0.5\t2.jpg", "label 'x' is not a number"),
    ],
)
def test_names_what_is_wrong_with_a_row_of_boxes(tmp_path: Path, row: str, problem: str) -> None:
    (found,) = check(tmp_path / "det.lst", "\n".join([*BOXES, row]))

    assert found.startswith(f"line 3: {problem}")


def test_takes_lists_of_numbers_to_predict(tmp_path: Path) -> None:
    assert check(tmp_path / "regression.lst", "0\t0.750000\ta.jpg\n1\t-2\tb.jpg\n") == []
    assert check(tmp_path / "regression.lst", "0\t1.000000\ta.jpg\n1\t0.5\tb.jpg\n2\t1.5\tc.jpg\n") == []
    assert check(tmp_path / "regression.lst", "0\t0.5\ta.jpg\n1\tcat\tb.jpg\n") == [
        "line 2: label 'cat' is not a number"
    ]


@pytest.mark.parametrize("number", ["1e-05", "-2.5E+3", ".5", "+5", "5."])
def test_takes_numbers_however_they_are_written(tmp_path: Path, number: str) -> None:
    assert check(tmp_path / "regression.lst", f"0\t0.75\ta.jpg\n1\t{number}\tb.jpg\n") == []


@pytest.mark.parametrize("number", ["nan", "inf", "1e40", "0x10", "1_000", "1e999", ".", "e5"])
def test_refuses_what_is_no_number_of_32_bits(tmp_path: Path, number: str) -> None:
    assert check(tmp_path / "regression.lst", f"0\t0.75\ta.jpg\n1\t{number}\tb.jpg\n") == [
        f"line 2: label {number!r} is not a number"
    ]


def test_takes_a_fraction_among_many_classes_for_a_mistake(tmp_path: Path) -> None:
    rows = ["0\t0.5\ta0", *(f"{number}\t0\ta{number}" for number in range(1, 20))]

    assert check(tmp_path / "images.lst", "\n".join(rows)) == ["line 1: class '0.5' is not a whole number from 0"]


def test_expects_the_kind_of_labels_that_is_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "images.lst", "0 0.5 a", "1 1 b")

    assert [str(problem) for problem in check_list(path, kind=ListKind.CLASS)] == [
        "line 1: class '0.5' is not a whole number from 0",
        "classes are 0 to 1, but 0 has no image; number them without gaps (`headrace lst relabel`)",
    ]
    assert len(check_list(path, kind=ListKind.BOXES)) == 2


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
