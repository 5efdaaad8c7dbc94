from pathlib import Path

import pytest

from headrace.lst import ListError, make_lists_of, read_lst, write_made_lists
from headrace.lst.making import name_folders

PATHS = [f"{name}/{number}.jpg" for name in ("bee", "ant", "cat") for number in range(40)]


def test_writes_the_lists_that_are_made_in_memory(tmp_path: Path) -> None:
    train, validation = tmp_path / "train.lst", tmp_path / "validation.lst"

    classes = write_made_lists(PATHS, name_folders, train, validation, ratio=0.3)

    assert (classes, read_lst(train), read_lst(validation)) == make_lists_of(PATHS, name_folders, 0.3)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a.jpg"], "a.jpg has no class; name it or its first folder in the mapping"),
        (["ant/a\tb.jpg"], "holds a tab or a line end"),
        ([], "there are no images to list"),
    ],
)
def test_writes_nothing_when_a_path_cannot_be_listed(tmp_path: Path, paths: list[str], message: str) -> None:
    with pytest.raises(ListError, match=message):
        write_made_lists(paths, name_folders, tmp_path / "train.lst", tmp_path / "validation.lst")

    assert list(tmp_path.iterdir()) == []
