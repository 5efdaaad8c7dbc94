from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from headrace.lst import ListError, find_s3_images, make_lists_of, read_mapping
from headrace.lst.making import Finder, find_images


def test_reads_a_mapping_with_quoted_paths(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_text('ant,insect\n\n"a, b.jpg",bird\n')

    assert read_mapping(tmp_path / "classes.csv") == {"ant": "insect", "a, b.jpg": "bird"}


@pytest.mark.parametrize("line", ["ant", "ant,", "ant,insect,6"])
def test_says_on_which_line_a_mapping_is_wrong(tmp_path: Path, line: str) -> None:
    (tmp_path / "classes.csv").write_text(f"bee,insect\n{line}\n")

    with pytest.raises(ListError, match="line 2: expected a path or folder, a comma and a class"):
        read_mapping(tmp_path / "classes.csv")


def test_refuses_a_mapping_that_gives_a_path_two_classes(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_text("ant,insect\nbee,insect\nant,insect\nbee,bird\n")

    with pytest.raises(ListError, match="line 4: bee is of class bird, and on an earlier line of insect"):
        read_mapping(tmp_path / "classes.csv")


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "has no row"), ("\n", "has no row"), ('ant,"in\tsect"\n', "line 1: the class .* has a tab or a line end")],
)
def test_refuses_a_mapping_of_nothing_or_of_what_no_list_can_hold(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "classes.csv").write_text(content)

    with pytest.raises(ListError, match=problem):
        read_mapping(tmp_path / "classes.csv")


def test_prefers_the_class_of_a_path_to_that_of_its_folder() -> None:
    classes, train, validation = make_lists_of(
        ["ant/1.jpg", "ant/2.jpg", "ant/3.jpg"], {"ant": "worker", "ant/2.jpg": "queen"}
    )

    assert classes == ("queen", "worker")
    assert {row.path for row in [*train, *validation] if row.label == 0} == {"ant/2.jpg"}


def test_refuses_an_image_without_a_class() -> None:
    with pytest.raises(ListError, match=r"wasp/1\.jpg has no class"):
        make_lists_of(["wasp/1.jpg"], {"ant": "insect"})


@pytest.mark.parametrize("uri", ["raw/images", "s3:///images"])
def test_refuses_a_prefix_that_is_none(uri: str) -> None:
    with pytest.raises(ListError, match="is not an address in S3"):
        next(find_s3_images(uri, boto3.client("s3")))


@pytest.mark.parametrize(
    ("code", "step"), [("AccessDenied", "the role needs"), ("ExpiredToken", "sign in again"), ("Odd", "The reason")]
)
def test_says_why_s3_does_not_list(code: str, step: str) -> None:
    client = boto3.client("s3")
    with Stubber(client) as stubber:
        stubber.add_client_error("list_objects_v2", code, "The reason")

        with pytest.raises(ListError, match=f"s3://raw/images: {code}: The reason.*") as refused:
            list(find_s3_images("s3://raw/images", client))

    assert step in str(refused.value)


def test_counts_what_is_left_out_of_a_folder(tmp_path: Path) -> None:
    for name in (
        "ant/1.jpg",
        "ant/2.PNG",
        "ant/3.bmp",
        "ant/notes.txt",
        "ant/.hidden.jpg",
        "root.jpg",
        "elsewhere/4.jpg",
        "ant/\udcff.jpg",
    ):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"image")
    (tmp_path / "images" / "elsewhere").rename(tmp_path / "elsewhere")
    (tmp_path / "images" / "ant" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "images" / "ant" / "loop").symlink_to(tmp_path / "images" / "ant")
    (tmp_path / "images" / "ant" / "broken.jpg").symlink_to(tmp_path / "none.jpg")
    finder, more = Finder(), Finder.with_more(["BMP", ".webp"])

    found = sorted(find_images(tmp_path / "images", ["ant"], finder))

    assert found == ["ant/1.jpg", "ant/2.PNG", "ant/linked/4.jpg"]
    assert finder.left_out == {
        ".bmp": 1,
        ".txt": 1,
        "a name that is not UTF-8": 1,
        "a broken link, or not a file": 1,
        "a folder that a link has included already": 1,
        "no class, beside the folders": 1,
    }
    assert str(finder).startswith("6 files left out: 1 of .bmp, 1 of .txt, ")
    assert "ant/3.bmp" in set(find_images(tmp_path / "images", ["ant"], more))
