from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from headrace.lst import ListError, find_s3_images, make_lists_of, read_mapping


def test_reads_a_mapping_with_quoted_paths(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_text('ant,insect\n\n"a, b.jpg",bird\n')

    assert read_mapping(tmp_path / "classes.csv") == {"ant": "insect", "a, b.jpg": "bird"}


@pytest.mark.parametrize("line", ["ant", "ant,", "ant,insect,6"])
def test_says_on_which_line_a_mapping_is_wrong(tmp_path: Path, line: str) -> None:
    (tmp_path / "classes.csv").write_text(f"bee,insect\n{line}\n")

    with pytest.raises(ListError, match="line 2: expected a path or folder, a comma and a class"):
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
    with pytest.raises(ListError, match="is no S3 prefix; write s3://bucket/prefix/"):
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
