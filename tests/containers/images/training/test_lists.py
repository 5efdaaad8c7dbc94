from pathlib import Path

import pytest

from containers.images.training.lists import PhotographList, read_labels, read_lists
from containers.images.training.recording import RecordedPhotographs
from containers.images.training.sources import ChannelPhotographs
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import TrainingDataError
from tests.containers.images.training.image_roots import Row, format_rows

RIGHT: list[Row] = [(0, 0, "a.jpg"), (1, 1, "b.jpg")]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Four channels with right lists, which a test may spoil."""
    for channel in ("train", "validation"):
        images = tmp_path / channel
        images.mkdir()
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            (images / name).touch()
        write_list(tmp_path, f"{channel}_lst", format_rows(RIGHT))
    return tmp_path


def write_list(folders: Path, channel: str, text: str | bytes) -> None:
    (folders / channel).mkdir(exist_ok=True)
    (folders / channel / "images.lst").write_bytes(text.encode() if isinstance(text, str) else text)


def read(folders: Path) -> tuple[PhotographList, PhotographList]:
    train, validation = (
        (folders / f"{channel}_lst", RecordedPhotographs(ChannelPhotographs(folders / channel), JobInputs(), channel))
        for channel in ("train", "validation")
    )
    return read_lists(train, validation)


def refuse(folders: Path) -> str:
    with pytest.raises(TrainingDataError) as raised:
        read(folders)
    return str(raised.value)


def test_reads_index_class_and_path_of_every_row(folders: Path) -> None:
    write_list(folders, "train_lst", "7\t1\tb.jpg\n\n 5 \t0.000000\ta.jpg\r\n")

    rows = read(folders)[0].rows

    assert [(row.line, row.index, row.number, row.path) for row in rows] == [(1, 7, 1, "b.jpg"), (3, 5, 0, "a.jpg")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "1 1 b.jpg",
            "expected an index, a class and a path with tabs between them, found 1 fields",
        ),
        (
            "1\t1\t0\tb.jpg",
            "expected an index, a class and a path with tabs between them, found 4 fields",
        ),
        ("x\t1\tb.jpg", "index 'x' is not a whole number; give every row its own whole number"),
        ("0\t1\tb.jpg", "index 0 is that of line 1, too; indices are unique"),
        ("1\tcat\tb.jpg", "class 'cat' is not a whole number from 0; number the classes from 0, without gaps"),
        ("1\t-1\tb.jpg", "class '-1' is not a whole number from 0; number the classes from 0, without gaps"),
        ("1\t1.5\tb.jpg", "class '1.5' is not a whole number from 0; number the classes from 0, without gaps"),
        ("1\t1\t ", "the path is empty; write paths relative to the channel of the photographs"),
        ("1\t1\t/b.jpg", "path '/b.jpg' is absolute; give the path below the channel"),
        ("1\t1\ts3://b/b.jpg", "path 's3://b/b.jpg' is an address or a drive; give the path below the channel"),
        (
            "1\t1\t../b.jpg",
            "path '../b.jpg' leaves its folder with ..; give the path below the channel",
        ),
        (
            "1\t1\td.jpg",
            "channel 'train' has no photograph 'd.jpg'; check the path, and the prefix or folder of the channel",
        ),
    ],
)
def test_says_where_a_row_is_wrong_and_what_to_do(folders: Path, row: str, problem: str) -> None:
    write_list(folders, "train_lst", f"0\t0\ta.jpg\n{row}\n")

    assert refuse(folders) == f"channel 'train_lst', images.lst, line 2: {problem}"


@pytest.mark.parametrize("path", [".", "a" * 300, "a/" * 3000 + "a"])
def test_takes_paths_that_no_file_can_have_for_missing_images(folders: Path, path: str) -> None:
    write_list(folders, "train_lst", f"0\t0\ta.jpg\n1\t1\t{path}\n")

    assert refuse(folders).startswith(
        f"channel 'train_lst', images.lst, line 2: channel 'train' has no photograph {path!r}"
    )


def test_reports_every_kind_of_problem_of_both_lists_at_once(folders: Path) -> None:
    missing = "".join(f"{index}\t0\t{index}.jpg\n" for index in range(2, 9))
    write_list(folders, "train_lst", f"0\tcat\ta.jpg\n{missing}")
    write_list(folders, "validation_lst", "0\t0\ta.jpg\n0\t0\tb.jpg\n")

    assert refuse(folders) == (
        "channel 'train_lst', images.lst, line 1: class 'cat' is not a whole number from 0; "
        "number the classes from 0, without gaps\n"
        "channel 'train_lst', images.lst, line 2: channel 'train' has no photograph '2.jpg'; check the path, and the "
        "prefix or folder of the channel (7 such rows, on lines 2, 3, 4, 5, 6 …)\n"
        "channel 'validation_lst', images.lst, line 2: index 0 is that of line 1, too; indices are unique"
    )


def test_refuses_classes_with_a_gap_over_both_lists(folders: Path) -> None:
    write_list(folders, "train_lst", "0\t0\ta.jpg\n1\t3\tb.jpg\n")

    assert refuse(folders) == "no row is of class 2, but some are of class 3; number the classes from 0, without gaps"


def test_refuses_a_validation_class_that_is_never_trained(folders: Path) -> None:
    write_list(folders, "validation_lst", "0\t0\ta.jpg\n1\t2\tb.jpg\n2\t2\tc.jpg\n")

    assert refuse(folders) == (
        "channel 'validation_lst', images.lst, line 2: the training list has no photograph of class 2; "
        "add photographs of the class to the training list, or remove such rows (2 such rows, on lines 2, 3)"
    )


def test_refuses_a_single_class(folders: Path) -> None:
    for channel in ("train_lst", "validation_lst"):
        write_list(folders, channel, "0\t0\ta.jpg\n")

    assert refuse(folders) == (
        "channel 'train_lst', images.lst: all rows are of class 0; "
        "a classifier needs at least two classes to tell apart"
    )


def test_refuses_an_empty_list(folders: Path) -> None:
    write_list(folders, "validation_lst", "\n")

    assert refuse(folders) == ("channel 'validation_lst', images.lst: the list is empty; check the step that wrote it")


def test_refuses_a_channel_without_a_list(folders: Path) -> None:
    (folders / "train_lst/images.lst").rename(folders / "train_lst/images.txt")

    assert refuse(folders) == (
        "channel 'train_lst' has no file named *.lst; it has images.txt; point it at the folder that holds its list"
    )


def test_refuses_a_channel_with_two_lists(folders: Path) -> None:
    (folders / "train_lst/more.lst").touch()

    assert refuse(folders) == (
        "channel 'train_lst' has 2 files named *.lst (images.lst, more.lst), expected one; "
        "keep each list in its own folder"
    )


def test_refuses_text_that_is_not_utf8(folders: Path) -> None:
    write_list(folders, "train_lst", b"0\t0\ta.jpg\n1\t1\t\xe4.jpg\n")

    assert refuse(folders) == "channel 'train_lst', images.lst, line 2: not UTF-8; save the file as UTF-8"


def test_names_the_classes_line_by_line(folders: Path) -> None:
    (folders / "train_lst/classes.txt").write_text("cat\r\ngrey dog\n", newline="")

    assert read_labels(read(folders)[0], classes=2) == ("cat", "grey dog")


@pytest.mark.parametrize(("text", "lines", "names"), [("cat\n", 1, 1), ("cat\ncat\n", 2, 1), ("a\n\nb\n", 3, 2)])
def test_refuses_names_that_are_not_one_per_class(folders: Path, text: str, lines: int, names: int) -> None:
    (folders / "train_lst/classes.txt").write_text(text)

    with pytest.raises(TrainingDataError) as raised:
        read_labels(read(folders)[0], classes=2)

    assert str(raised.value) == (
        f"channel 'train_lst', classes.txt: {lines} lines, {names} different names; "
        "expected a different name for each of the 2 classes, one a line, class 0 first"
    )
