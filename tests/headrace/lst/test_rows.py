import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.lst import (
    ListError,
    ListRow,
    MultiLabelRow,
    hash_path,
    make_lists,
    read_lst,
    read_multi_label_lst,
    write_lst,
)
from tests.conftest import PROJECT
from tests.headrace.lst.lists import find_real

# The first digits that sha256sum gives for the path.
HASHED = "74b8959a81718528"
PATHS = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), min_size=1).filter(str.strip)


def make_folder(folder: Path, **images: int) -> Path:
    """A folder with so many images of each class."""
    for name, count in images.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.jpg").touch()
    return folder


def refuse(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ListError) as raised:
        read_lst(path)
    return str(raised.value).removeprefix(f"{path}, ")


def test_reads_rows_in_order(tmp_path: Path) -> None:
    path = tmp_path / "images.lst"
    path.write_bytes(b"\xef\xbb\xbf7\t1\tb/2.jpg\r\n\n5\t0.000000\ta 1.jpg")

    assert read_lst(path) == [ListRow(7, 1, "b/2.jpg"), ListRow(5, 0, "a 1.jpg")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("0 0 a.jpg", "line 1: expected an index, a class and a path with tabs between them, found 1 fields"),
        ("0\t0\ta.jpg\n\nx\t0\tb.jpg", "line 3: index 'x' is not a whole number"),
        ("0\tcat\ta.jpg", "line 1: class 'cat' is not a whole number from 0"),
        ("0\t-1\ta.jpg", "line 1: class '-1' is not a whole number from 0"),
        ("0\t0\t ", "line 1: the path is empty"),
        ("4\t0\ta.jpg\n4\t0\tb.jpg", "line 2: index 4 is that of line 1, too; indices are unique"),
        (b"0\t0\ta.jpg\n1\t0\t\xe4.jpg", "line 2: not UTF-8; save the file as UTF-8"),
    ],
)
def test_says_on_which_line_a_list_is_wrong(tmp_path: Path, content: str | bytes, reason: str) -> None:
    assert refuse(tmp_path / "images.lst", content) == reason


def test_names_a_list_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"none\.lst: No such file or directory"):
        read_lst(tmp_path / "none.lst")


def test_writes_tabs_and_line_feeds(tmp_path: Path) -> None:
    write_lst(tmp_path / "new/images.lst", [ListRow(0, 1, "ä/1.jpg"), ListRow(5, 0, "b 2.jpg")])

    assert (tmp_path / "new/images.lst").read_bytes() == "0\t1\tä/1.jpg\n5\t0\tb 2.jpg\n".encode()


@given(st.dictionaries(st.integers(0, 2**53), st.tuples(st.integers(0, 999), PATHS)))
def test_reads_what_it_wrote(tmp_path_factory: pytest.TempPathFactory, rows: dict[int, tuple[int, str]]) -> None:
    path = tmp_path_factory.mktemp("lists") / "images.lst"
    written = [ListRow(index, label, name) for index, (label, name) in rows.items()]

    write_lst(path, written)

    assert read_lst(path) == written


@pytest.mark.parametrize("row", [ListRow(-1, 0, "a"), ListRow(0, -1, "a"), ListRow(0, 0, ""), ListRow(0, 0, "a\tb")])
def test_keeps_the_former_list_when_a_row_cannot_be_written(tmp_path: Path, row: ListRow) -> None:
    path = tmp_path / "images.lst"
    write_lst(path, [ListRow(1, 1, "former")])

    with pytest.raises(ListError, match="line 2: ListRow"):
        write_lst(path, [ListRow(3, 3, "new"), row])

    assert [file.name for file in tmp_path.iterdir()] == ["images.lst"]
    assert read_lst(path) == [ListRow(1, 1, "former")]


def test_refuses_to_write_an_index_twice(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="line 2: index 1 is that of line 1, too"):
        write_lst(tmp_path / "images.lst", [ListRow(1, 0, "a"), ListRow(1, 0, "b")])


def test_numbers_the_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    classes, train, validation = make_lists(make_folder(tmp_path, cat=5, ant=5, bee=5))

    assert classes == ("ant", "bee", "cat")
    assert all(row.path.startswith(f"{classes[row.label]}/") for row in (*train, *validation))


def test_puts_every_image_into_one_of_the_parts(tmp_path: Path) -> None:
    _, train, validation = make_lists(make_folder(tmp_path, ant=30, bee=7))

    paths = [row.path for row in (*train, *validation)]
    assert sorted(paths) == sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*"))


def test_holds_out_about_the_ratio_of_each_class(tmp_path: Path) -> None:
    _, _, validation = make_lists(make_folder(tmp_path, ant=400, bee=400), validation_ratio=0.3)

    for label in (0, 1):
        assert 90 <= sum(row.label == label for row in validation) <= 150


@pytest.mark.parametrize(("ratio", "held_out"), [(0.000001, 1), (0.999999, 3)])
def test_keeps_an_image_of_each_class_in_either_part(tmp_path: Path, ratio: float, held_out: int) -> None:
    _, train, validation = make_lists(make_folder(tmp_path, ant=4), validation_ratio=ratio)

    assert (len(train), len(validation)) == (4 - held_out, held_out)


def test_trains_on_the_only_image_of_a_class(tmp_path: Path) -> None:
    _, train, validation = make_lists(make_folder(tmp_path, ant=1))

    assert (len(train), len(validation)) == (1, 0)


def test_moves_no_other_image_when_one_is_added(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, ant=40, bee=40)
    _, *before = make_lists(folder)
    (folder / "ant/new.jpg").touch()

    _, *after = make_lists(folder)

    assert [[row for row in rows if row.path != "ant/new.jpg"] for rows in after] == before


def test_mixes_the_classes_and_orders_by_index(tmp_path: Path) -> None:
    _, train, _ = make_lists(make_folder(tmp_path, ant=40, bee=40))

    assert [row.index for row in train] == sorted({row.index for row in train})
    assert len({row.label for row in train[:12]}) == 2


def test_gives_an_image_the_same_index_on_every_machine() -> None:
    assert hash_path("ant/0001.jpg") == int(HASHED, 16) >> 11


def test_finds_images_in_folders_below_and_leaves_other_files(tmp_path: Path) -> None:
    for name in ("ant/deep/1.JPEG", "ant/2.png", "ant/notes.txt", "ant/.hidden.jpg", ".git/3.jpg", "4.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    classes, train, validation = make_lists(tmp_path)

    assert classes == ("ant",)
    assert {row.path for row in (*train, *validation)} == {"ant/deep/1.JPEG", "ant/2.png"}


def test_refuses_a_class_without_images(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"bee has no image \(\.jpeg, \.jpg, \.png\); remove it or add images"):
        make_lists(make_folder(tmp_path, ant=1, bee=0))


def test_refuses_a_folder_without_classes(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="has no sub-folder; put the images of each class into their own sub-folder"):
        make_lists(tmp_path)


def test_refuses_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="none: No such file or directory"):
        make_lists(tmp_path / "none")


@pytest.mark.parametrize("ratio", [0, 1, -0.5])
def test_refuses_a_ratio_that_leaves_a_part_empty(tmp_path: Path, ratio: float) -> None:
    with pytest.raises(ListError, match="expected a number between 0 and 1"):
        make_lists(tmp_path, validation_ratio=ratio)


@pytest.mark.parametrize("name", ["scones_train.lst", "scones_test.lst"])
def test_writes_real_lists_back_byte_for_byte(tmp_path: Path, name: str) -> None:
    real = find_real(name)

    write_lst(tmp_path / name, read_lst(real))

    assert (tmp_path / name).read_bytes() == real.read_bytes()


def test_reads_several_labels_as_im2rec_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "images.lst"
    path.write_text("7\t1.000000\t0.000000\ta.jpg\n9\t0.000000\t0.250000\tb.jpg\n")

    assert read_multi_label_lst(path) == [
        MultiLabelRow(7, (1.0, 0.0), "a.jpg"),
        MultiLabelRow(9, (0.0, 0.25), "b.jpg"),
    ]


@given(
    st.dictionaries(
        st.integers(0, 2**53), st.tuples(st.tuples(st.integers(0, 1), st.integers(-8, 8).map(lambda n: n / 8)), PATHS)
    )
)
def test_reads_the_several_labels_it_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, tuple[tuple[float, float], str]]
) -> None:
    path = tmp_path_factory.mktemp("lists") / "images.lst"
    written = [MultiLabelRow(index, labels, name) for index, (labels, name) in rows.items()]

    write_lst(path, written)

    assert read_multi_label_lst(path) == written


def test_says_on_which_line_several_labels_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "images.lst"
    path.write_text("0\t1\t0\ta\n1\t1\tx\tb\n")

    with pytest.raises(ListError, match="line 2: label 'x' is not a number"):
        read_multi_label_lst(path)


def test_reads_small_lists_without_the_engine_for_large_ones() -> None:
    program = "import sys, headrace.lst; sys.exit('duckdb' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=PROJECT).returncode == 0
