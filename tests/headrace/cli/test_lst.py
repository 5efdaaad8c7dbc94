"""`headrace lst`: its output, its exit codes and what it leaves behind."""

import json
import re
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.cli.lst import lst
from tests.headrace.lst.lists import read, write


def invoke(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["lst", *map(str, arguments)], input=stdin)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("ant/1.jpg", "ant/2.jpg", "bee/1.jpg", "bee/2.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"image")
    return tmp_path / "images"


@pytest.fixture
def parts(tmp_path: Path) -> list[object]:
    return ["--train", tmp_path / "train.lst", "--validation", tmp_path / "validation.lst"]


@pytest.mark.parametrize("name", sorted(lst.commands))
def test_shows_an_example_of_every_command(name: str) -> None:
    assert f"Example: headrace lst {name} " in re.sub(r"\s+", " ", invoke(name, "--help").stdout)


def test_makes_lists_of_a_folder(tmp_path: Path, images: Path, parts: list[object]) -> None:
    answer = invoke("make", images, *parts)

    assert (answer.exit_code, answer.stdout) == (0, "ant\nbee\n")
    assert [len(read(tmp_path / f"{part}.lst")) for part in ("train", "validation")] == [2, 2]


def test_tells_rows_of_a_mapping_that_name_no_image(tmp_path: Path, images: Path, parts: list[object]) -> None:
    (tmp_path / "classes.csv").write_text("path,class\nant,insect\nbee,insect\n")

    answer = invoke("make", images, *parts, "--mapping", tmp_path / "classes.csv")

    assert (answer.exit_code, answer.stdout) == (0, "insect\n")
    assert "classes.csv: 1 rows name no image, such as path" in answer.stderr


def test_makes_lists_of_a_mapping(tmp_path: Path, images: Path, parts: list[object]) -> None:
    (tmp_path / "classes.csv").write_text("ant,insect\nbee,insect\nbee/2.jpg,queen\n")

    answer = invoke("make", images, *parts, "--mapping", tmp_path / "classes.csv", "--json")

    assert json.loads(answer.stdout) == {"classes": ["insect", "queen"]}


def test_makes_lists_of_an_s3_prefix(tmp_path: Path, parts: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3")
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    with Stubber(client) as stubber:
        keys = ["images/ant/1.jpg", "images/ant/2.jpg", "images/ant/notes.txt", "images/ant/.hidden.jpg"]
        stubber.add_response(
            "list_objects_v2", {"Contents": [{"Key": key} for key in keys]}, {"Bucket": "raw", "Prefix": "images/"}
        )
        answer = invoke("make", "s3://raw/images", *parts)

    assert (answer.exit_code, answer.stdout) == (0, "ant\n")
    assert {row.split()[2] for part in ("train", "validation") for row in read(tmp_path / f"{part}.lst")} == {
        "ant/1.jpg",
        "ant/2.jpg",
    }


def test_tells_what_s3_answers(parts: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3")
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    with Stubber(client) as stubber:
        stubber.add_client_error("list_objects_v2", "NoSuchBucket", "The bucket does not exist")
        answer = invoke("make", "s3://raw/images", *parts)

    assert answer.exit_code == 1
    assert "s3://raw/images: NoSuchBucket: The bucket does not exist" in answer.stderr


def test_says_nothing_when_a_list_is_well_formed(tmp_path: Path, images: Path) -> None:
    path = write(tmp_path / "train.lst", "0 0 ant/1.jpg", "1 1 bee/1.jpg")

    assert (invoke("check", path, "--folder", images).exit_code, invoke("check", path).stdout) == (0, "")


def test_prints_each_problem_with_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "train.lst", "0 1 a", "x 1 b")

    answer = invoke("check", path)

    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == [
        f"{path}, line 2: index 'x' is not a whole number",
        f"{path}: classes are 0 to 1, but 0 has no image; number them without gaps (`headrace lst relabel`)",
    ]


def test_prints_problems_as_json(tmp_path: Path) -> None:
    answer = invoke("check", write(tmp_path / "train.lst", "0 0 a", "x 0 b"), "--json")

    assert json.loads(answer.stdout) == [{"line": 2, "text": "index 'x' is not a whole number"}]


@pytest.fixture
def versions(tmp_path: Path) -> list[Path]:
    before = write(tmp_path / "before.lst", "0 0 a", "1 0 b", "2 1 c")
    return [before, write(tmp_path / "after.lst", "0 1 a", "1 0 moved/b", "3 1 d")]


def test_shows_changes_as_tables(versions: list[Path]) -> None:
    answer = invoke("diff", *versions)

    lines = [line.split() for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert ["relabelled", "1"] in lines
    assert ["relabelled", "0", "1", "1"] in lines
    assert ["moved", "0", "0", "b", "→", "moved/b"] in lines


def test_shows_only_the_changes_asked_for(versions: list[Path]) -> None:
    stdout = invoke("diff", *versions, "--only", "added", "--rows", "0").stdout

    assert "added" in stdout
    assert "removed" not in stdout
    assert "path" not in stdout


def test_prints_changes_as_json(versions: list[Path]) -> None:
    answer = json.loads(invoke("diff", *versions, "--json").stdout)

    assert answer["counts"] == {"added": 1, "removed": 1, "relabelled": 1, "moved": 1, "renumbered": 0}
    assert {row["change"]: row["path_after"] for row in answer["rows"]} == {
        "added": "d",
        "moved": "moved/b",
        "relabelled": "a",
        "removed": None,
    }


def test_writes_changes_as_a_list(tmp_path: Path, versions: list[Path]) -> None:
    invoke("diff", *versions, "-o", tmp_path / "news.lst")
    invoke("diff", *versions, "--only", "removed", "-o", tmp_path / "gone.lst")

    assert read(tmp_path / "news.lst") == ["0 1 a", "1 0 moved/b", "3 1 d"]
    assert read(tmp_path / "gone.lst") == ["2 1 c"]


def test_splits(tmp_path: Path, parts: list[object]) -> None:
    path = write(tmp_path / "all.lst", *(f"{number} 0 {number}.jpg" for number in range(10)))

    assert invoke("split", path, *parts, "--stratified", "--ratio", 0.3, "--seed", 5).exit_code == 0
    assert len(read(tmp_path / "validation.lst")) == 3


def test_edits_a_list_in_place(tmp_path: Path) -> None:
    path = write(tmp_path / "all.lst", "0 0 a", "1 1 b")
    more = write(tmp_path / "more.lst", "2 2 c")
    names = tmp_path / "names.txt"
    names.write_text("b\n")

    codes = [
        invoke("add", path, more, "-o", path).exit_code,
        invoke("relabel", path, "2=1", "-o", path).exit_code,
        invoke("replace", path, write(tmp_path / "new.lst", "0 1 new/a"), "--by", "index", "-o", path).exit_code,
        invoke("remove", path, "--from", names, "-o", path).exit_code,
        invoke("merge", path, write(tmp_path / "last.lst", "7 0 z"), "-o", path).exit_code,
    ]

    assert codes == [0] * 5
    assert read(path) == ["0 1 new/a", "2 1 c", "7 0 z"]


def test_explains_a_list_that_cannot_be_used(tmp_path: Path) -> None:
    path = write(tmp_path / "all.lst", "0 0 a")

    answer = invoke("remove", path, "z", "-o", tmp_path / "new.lst")

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == f"Error: z is not in {path}\n"
    assert not (tmp_path / "new.lst").exists()


def test_explains_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    path = write(tmp_path / "all.lst", "0 0 a")

    answer = invoke("merge", path, "-o", path / "new.lst")

    assert answer.exit_code == 1
    assert "Error: " in answer.stderr
    assert "all.lst" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["relabel", "all.lst", "1:2", "-o", "x"], "'1:2' is not OLD=NEW, two class numbers"),
        (["relabel", "all.lst", "1=2", "1=3", "-o", "x"], "class 1 occurs twice"),
        (["remove", "all.lst", "-o", "x"], "name the images to remove, or a file of them"),
        (["split", "all.lst", "--train", "x", "--validation", "y", "--ratio", "1"], "1.0 is not in the range 0<x<1"),
        (["check", "none.lst"], "File 'none.lst' does not exist"),
        (["merge", "all.lst"], "Missing option '-o'"),
    ],
)
def test_refuses_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    write(tmp_path / "all.lst", "0 0 a")
    monkeypatch.chdir(tmp_path)

    answer = invoke(*arguments)

    assert answer.exit_code == 2
    assert message in " ".join(answer.stderr.split())


def test_tells_rows_without_a_group_and_classes_with_few_rows(tmp_path: Path, parts: list[object]) -> None:
    path = write(tmp_path / "all.lst", "0 0 p1/a", "1 0 p2/a", "2 0 other", "3 1 p1/b")

    divided = invoke("split", path, *parts, "--group-by", "p[0-9]", "--test", tmp_path / "test.lst")
    sampled = invoke("sample", path, "--per-class", "2", "-o", tmp_path / "small.lst")

    assert divided.stderr == f"{path}: 1 rows have no group of 'p[0-9]'; each of them forms its own group\n"
    assert sampled.stderr == f"{path}: class 1 has only 1 rows; all of them are kept\n"
    assert len(read(tmp_path / "small.lst")) == 3


def test_refuses_a_ratio_for_a_test_that_is_not_asked_for(tmp_path: Path, parts: list[object]) -> None:
    path = write(tmp_path / "all.lst", "0 0 a", "1 0 b")

    assert invoke("split", path, *parts, "--test-ratio", "0.1").exit_code == 2


def test_counts_files_that_are_left_out(tmp_path: Path, images: Path, parts: list[object]) -> None:
    (images / "ant" / "9.bmp").write_bytes(b"image")

    assert "1 files left out: 1 of .bmp; --also includes" in invoke("make", images, *parts).stderr
    assert invoke("make", images, *parts, "--also", ".bmp").stderr == ""


def test_checks_labels_of_the_kind_that_is_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "numbers.lst", "0 0.75 a")

    assert [invoke("check", path, *kind).exit_code for kind in ((), ("--kind", "number"), ("--kind", "class"))] == [
        0,
        0,
        1,
    ]
