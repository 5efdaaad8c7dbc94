from pathlib import Path

import pytest
from PIL import Image

from headrace.files import FileError
from headrace.workloads.photographs import SHAPES, PhotographsError, draw_photographs, make_photographs


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_makes_jpeg_files_in_a_folder_per_class(tmp_path: Path) -> None:
    make_photographs(tmp_path / "made", classes=2, per_class=3)

    names = {f"{name}/{name}_000{number}.jpg" for name in ("ball", "cross") for number in (1, 2, 3)}
    assert set(read_files(tmp_path / "made")) == names
    for name in names:
        with Image.open(tmp_path / "made" / name) as photograph:
            assert (photograph.format, photograph.mode) == ("JPEG", "RGB")
            assert 120 <= min(photograph.size) <= max(photograph.size) <= 260


def test_makes_the_same_files_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        make_photographs(tmp_path / name, classes=2, per_class=2, seed=seed)

    first, again, other = (read_files(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_makes_each_photograph_different(tmp_path: Path) -> None:
    make_photographs(tmp_path / "made", classes=12, per_class=2)

    assert len(set(read_files(tmp_path / "made").values())) == 24


def test_makes_the_same_photographs_when_there_are_more_of_them(tmp_path: Path) -> None:
    make_photographs(tmp_path / "few", classes=2, per_class=1)
    make_photographs(tmp_path / "many", classes=3, per_class=2)

    assert read_files(tmp_path / "few").items() <= read_files(tmp_path / "many").items()


@pytest.mark.parametrize(("classes", "per_class"), [(0, 1), (13, 1), (1, 0)])
def test_refuses_numbers_it_cannot_make(tmp_path: Path, classes: int, per_class: int) -> None:
    with pytest.raises(PhotographsError, match="ask for 1 to 12 classes and at least 1 photograph of each"):
        make_photographs(tmp_path / "made", classes, per_class)


def test_leaves_a_folder_that_is_there_alone(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is already there; remove it or choose another folder"):
        make_photographs(tmp_path)

    assert read_files(tmp_path) == {}


def test_leaves_nothing_when_it_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> object:
        yield next(draw_photographs(SHAPES, 1, 0))
        raise RuntimeError("broken")

    monkeypatch.setattr("headrace.workloads.photographs.draw_photographs", break_down)

    with pytest.raises(RuntimeError, match="broken"):
        make_photographs(tmp_path / "made")

    assert list(tmp_path.iterdir()) == []
