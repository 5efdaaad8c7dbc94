"""`headrace manifest`: its output, its exit codes and what it leaves behind."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import boto3
import click
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from PIL import ExifTags, Image

from headrace.cli import cli
from headrace.cli.manifest import convert, manifest
from headrace.manifest import convert_coco
from headrace.workloads import scenes
from tests.headrace.manifest.manifests import make_box, make_boxes, make_image, read, write


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["manifest", *map(str, arguments)])


NAMES = [
    *([name] for name, found in manifest.commands.items() if not isinstance(found, click.Group)),
    *(["convert", name] for name in convert.commands),
]


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    images = (make_image(f"{n}.jpg", n % 2, confidence=n / 10) for n in range(10))
    return write(tmp_path / "all.manifest", *images)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.mark.parametrize("names", NAMES, ids=" ".join)
def test_shows_an_example_of_every_command(names: list[str]) -> None:
    stdout = re.sub(r"\s+", " ", invoke(*names, "--help").stdout)

    assert f"Example: headrace manifest {' '.join(names)} " in stdout


def test_says_nothing_when_a_manifest_is_well_formed(everything: Path) -> None:
    answer = invoke("check", everything, "--attribute", "source-ref", "--attribute", "class")

    assert (answer.exit_code, answer.stdout) == (0, "")


def test_prints_each_problem_with_file_and_line(everything: Path) -> None:
    answer = invoke("check", everything, "--task", "object-detection")

    assert answer.exit_code == 1
    assert answer.stdout.splitlines()[1] == (
        f"{everything}, line 2: class: a number, expected an object with image_size and annotations"
    )


def test_prints_problems_as_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", make_image("1", 1), {"class": 1})

    answer = invoke("check", path, "--json")

    assert answer.exit_code == 1
    assert [json.loads(line)["line"] for line in answer.stdout.splitlines()] == [2]


def test_asks_s3_only_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3")
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    with Stubber(client) as stubber:
        stubber.add_client_error("head_object", "404")
        answer = invoke("check", write(tmp_path / "all.manifest", make_image("1.jpg")), "--objects")

    assert answer.exit_code == 1
    assert "line 1: source-ref: s3://raw/1.jpg is not there" in answer.stdout


def test_splits(tmp_path: Path, everything: Path) -> None:
    parts = ["--train", tmp_path / "train", "--validation", tmp_path / "validation"]

    assert invoke("split", everything, *parts, "--stratify-by", "class").exit_code == 0
    assert [len(read(tmp_path / part)) for part in ("train", "validation")] == [8, 2]


def test_merges(tmp_path: Path, everything: Path, output: Path) -> None:
    more = write(tmp_path / "more.manifest", make_image("more.jpg"))

    assert invoke("merge", everything, more, "-o", output).exit_code == 0
    assert len(read(output)) == 11


def test_filters_and_counts(everything: Path, output: Path) -> None:
    answer = invoke("filter", everything, "--label", "1", "--least-confidence", "0.5", "-o", output)

    assert answer.stdout == "3\n"
    assert [image["source-ref"][-5:] for image in read(output)] == ["5.jpg", "7.jpg", "9.jpg"]


def test_counts_labels_and_draws_them(everything: Path, output: Path) -> None:
    answer = invoke("stats", everything, "--chart", output)

    assert [line.split() for line in answer.stdout.splitlines()][2:5] == [
        ["rows", "10"],
        ["unlabelled", "0"],
        ["failed", "0"],
    ]
    assert output.read_text().startswith("<svg ")


def test_counts_labels_as_json(tmp_path: Path) -> None:
    path = write(tmp_path / "all.manifest", make_boxes(make_box()))

    counts = json.loads(invoke("stats", path, "--json").stdout)

    assert (counts["rows"], counts["labels"], counts["areas"]) == (1, {"car": 1}, {"0.1": 1})


def test_converts_lists_and_back(tmp_path: Path, output: Path) -> None:
    (tmp_path / "train.lst").write_text("5\t1\ta.jpg\n")
    prefix = ["--prefix", "s3://raw/images"]

    invoke("convert", "list", tmp_path / "train.lst", *prefix, "-o", output)
    invoke("convert", "to-list", output, *prefix, "-o", tmp_path / "back.lst")

    assert (tmp_path / "back.lst").read_text() == "5\t1\ta.jpg\n"


@pytest.mark.parametrize(
    ("name", "text"), [("labels.lst", "0\t0\ta.jpg\n1\t1\tb.jpg\n"), ("labels.csv", "a.jpg,ant\nb.jpg,bee\n")]
)
def test_converts_traditional_manifests_with_labels(tmp_path: Path, output: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    path = tmp_path / "images.json"
    path.write_text('[{"prefix": "s3://raw/"}, "a.jpg", "b.jpg"]')

    assert invoke("convert", "traditional", path, "--labels", tmp_path / name, "-o", output).exit_code == 0
    assert read(output) == [make_image("a.jpg", 0), make_image("b.jpg", 1)]


def test_converts_folders(tmp_path: Path, output: Path) -> None:
    (tmp_path / "images" / "ant").mkdir(parents=True)
    (tmp_path / "images" / "ant" / "1.jpg").touch()

    answer = invoke("convert", "folders", tmp_path / "images", "--prefix", "s3://raw/", "-o", output)

    assert answer.stdout == "ant\n"
    assert read(output)[0]["source-ref"] == "s3://raw/ant/1.jpg"


def test_converts_boxes_to_coco_and_back(tmp_path: Path, output: Path) -> None:
    path = write(tmp_path / "all.manifest", make_boxes(make_box()))

    invoke("convert", "to-coco", path, "--prefix", "s3://raw/", "--attribute", "box", "-o", tmp_path / "coco.json")
    invoke("convert", "coco", tmp_path / "coco.json", "--prefix", "s3://raw/", "--attribute", "box", "-o", output)

    assert read(output)[0]["box"] == make_boxes(make_box())["box"]


def test_explains_a_manifest_that_cannot_be_used(tmp_path: Path, output: Path) -> None:
    path = tmp_path / "all.manifest"
    path.write_text("{\n")

    answer = invoke("merge", path, "-o", output)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: {path}, line 1: not JSON: ")
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "all.manifest", "--task", "poetry"], "'poetry' is not one of 'object-detection'"),
        (["filter", "all.manifest", "--least-confidence", "2", "-o", "x"], "2.0 is not in the range 0<=x<=1"),
        (["convert", "list", "all.manifest", "-o", "x"], "Missing option '--prefix'"),
    ],
)
def test_refuses_wrong_usage(
    everything: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(everything.parent)

    answer = invoke(*arguments)

    assert answer.exit_code == 2
    assert message in " ".join(answer.stderr.split())


def test_tells_labels_that_are_not_judged_and_not_counted(tmp_path: Path) -> None:
    metadata = {"class-map": {"0": "car"}, "type": "groundtruth/video-object-detection"}
    path = write(
        tmp_path / "video.manifest",
        {"source-ref": "s3://raw/seq.json", "Car-ref": "s3://raw/SeqLabel.json", "Car-ref-metadata": metadata},
    )

    checked, counted = invoke("check", path), invoke("stats", path)

    assert (checked.exit_code, checked.stdout) == (0, "")
    assert checked.stderr.startswith(f"{path}: not judged: 1 of Car-ref, of type video-object-detection")
    assert counted.stderr.startswith(f"{path}: not counted: 1 labels of video-object-detection")


def test_counts_what_coco_has_and_the_manifest_has_not(tmp_path: Path, output: Path) -> None:
    coco = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 9, "height": 9}],
        "annotations": [{"id": 918, "image_id": 1, "category_id": 3, "bbox": [1, 1, 2, 0.0]}],
        "categories": [{"id": 3, "name": "car"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    arguments = ["convert", "coco", tmp_path / "coco.json", "--prefix", "s3://raw/", "-o", output]

    refused, skipped = invoke(*arguments), invoke(*arguments, "--bad-boxes", "skip")

    assert (refused.exit_code, skipped.exit_code) == (1, 0)
    assert "annotation 918, of image 1 (1.jpg): the box is empty" in refused.stderr
    assert "0 boxes of 1 images; 1 bad boxes left out" in skipped.stderr


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A folder with a scene, its line of a manifest and what a detector answered."""
    folder = tmp_path / "street"
    scenes.make_scenes(folder, count=2, seed=1)
    convert_coco(folder / scenes.ANNOTATIONS_FILE, "s3://raw/", folder / "boxes.manifest")
    rows = [[1.0, 0.9, 0.1, 0.2, 0.5, 0.6], [0.0, 0.31, 0.5, 0.5, 0.9, 0.9], [2.0, 0.29, 0.0, 0.0, 1.0, 1.0]]
    (folder / "answer.json").write_text(json.dumps({"prediction": rows}))
    return folder


def test_draws_the_boxes_that_were_labelled_and_those_that_were_found(street: Path, output: Path) -> None:
    found = ["--found", street / "answer.json"]

    answer = invoke("draw", street / "boxes.manifest", street / "scene_0001.jpg", *found, "-o", output)

    assert answer.exit_code == 0
    picture = output.read_text()
    things = json.loads((street / "boxes.manifest").read_text().splitlines()[0])["bounding-box"]["annotations"]
    assert ElementTree.fromstring(picture).tag.endswith("svg")  # noqa: S314 (it is ours)
    assert picture.count('class="box truth"') == len(things) + 1
    assert [text for text in ("car 0.90", "bus 0.31", "pedestrian 0.29") if f">{text}<" in picture] == [
        "car 0.90",
        "bus 0.31",
    ]
    assert f"labelled: {len(things)}" in picture
    assert "found: 2" in picture


def test_draws_only_what_was_labelled_without_an_answer(street: Path, output: Path) -> None:
    assert invoke("draw", street / "boxes.manifest", street / "scene_0002.jpg", "-o", output).exit_code == 0

    assert "found" not in output.read_text().partition("</style>")[2]


@pytest.fixture
def corners(tmp_path: Path) -> Path:
    """A manifest of two photographs of one name in two folders, with boxes of two classes, and the files."""
    for folder in ("north", "south", "elsewhere"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (100, 50)).save(tmp_path / folder / "1.jpg")
    lines = [{**make_boxes(make_box()), "source-ref": f"s3://raw/{name}/1.jpg"} for name in ("north", "south")]
    lines[1]["box-metadata"] = {**lines[1]["box-metadata"], "class-map": {"0": "bus"}}
    return write(tmp_path / "boxes.manifest", *lines)


@pytest.mark.parametrize(("folder", "drawn"), [("north", "car"), ("south", "bus")])
def test_tells_photographs_of_one_name_apart_by_their_folders(
    corners: Path, output: Path, folder: str, drawn: str
) -> None:
    answer = invoke("draw", corners, corners.parent / folder / "1.jpg", "--attribute", "box", "-o", output)

    assert answer.exit_code == 0
    assert f"<title>{drawn}</title>" in output.read_text()


def test_refuses_a_photograph_whose_folder_does_not_tell_which_it_is(corners: Path, output: Path) -> None:
    answer = invoke("draw", corners, corners.parent / "elsewhere/1.jpg", "--attribute", "box", "-o", output)

    assert answer.exit_code == 1
    assert "2 lines are about a photograph called 1.jpg, expected one (line 1: s3://raw/north/1.jpg" in answer.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["a", "a"], "(line 1: s3://raw/a/1.jpg, line 2: s3://raw/a/1.jpg); merge them"),
        (["a", "b"], "line 2: s3://raw/b/1.jpg); put the file into folders named as in its source"),
        (["a", "b", "c", "d", "e"], "line 3: s3://raw/c/1.jpg, and 2 more); put the file into folders"),
    ],
)
def test_says_how_lines_about_one_name_are_told_apart(
    tmp_path: Path, output: Path, folders: list[str], words: str
) -> None:
    Image.new("RGB", (100, 50)).save(tmp_path / "1.jpg")
    lines = [{**make_boxes(make_box()), "source-ref": f"s3://raw/{folder}/1.jpg"} for folder in folders]

    answer = invoke("draw", write(tmp_path / "boxes.manifest", *lines), tmp_path / "1.jpg", "-o", output)

    assert words in answer.stderr


@pytest.mark.parametrize(
    ("name", "answer", "options", "message"),
    [
        ("other.jpg", "", [], "0 lines are about a photograph called other.jpg, expected one"),
        ("scene_0001.jpg", "[]", [], 'the answer has no boxes; give what an endpoint answered, {"prediction"'),
        ("scene_0001.jpg", '{"prediction": [[0, 1]]}', [], "the answer has no boxes"),
        ("scene_0001.jpg", '{"prediction": [[0, NaN, 0, 0, 1, 1]]}', [], "the answer has no boxes"),
        ("scene_0001.jpg", f'{{"prediction": [[0, 0.9, {10**308}, 0, 1, 1]]}}', [], "the answer has no boxes"),
        ("scene_0001.jpg", "", ["--attribute", "class"], "line 1: there is no class; name the attribute that holds"),
    ],
)
def test_says_why_it_draws_nothing(
    street: Path, output: Path, name: str, answer: str, options: list[str], message: str
) -> None:
    (street / "other.jpg").write_bytes((street / "scene_0001.jpg").read_bytes())
    (street / "answer.json").write_text(answer)
    found = ["--found", street / "answer.json"] if answer else []

    answered = invoke("draw", street / "boxes.manifest", street / name, *found, *options, "-o", output)

    assert answered.exit_code == 1
    assert message in answered.stderr
    assert not output.exists()


def test_turns_boxes_with_a_photograph_that_is_stored_lying_down(tmp_path: Path, output: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (100, 50)).save(tmp_path / "street.jpg", exif=exif)
    path = write(tmp_path / "boxes.manifest", make_boxes(make_box(left=0, top=0, width=40, height=25)))

    assert invoke("draw", path, tmp_path / "street.jpg", "--attribute", "box", "-o", output).exit_code == 0

    assert 'class="box truth" x="25.0" y="0.0" width="25.0" height="40.0"' in output.read_text()


@pytest.mark.parametrize(
    ("metadata", "title"),
    [
        ({"class-map": None}, "0"),
        ({"class-map": ["car"]}, "0"),
        ({"class-map": {"0": "car", "9" * 5_000: "bus"}}, "car"),
        ({"class-map": {"0": "car"}, "type": "groundtruth/image-classification-multilabel"}, "car"),
        ({"class-map": {"0": "a <car>\x01"}}, "a <car>\\x01"),
    ],
)
def test_draws_whatever_is_said_of_classes(
    tmp_path: Path, output: Path, metadata: dict[str, object], title: str
) -> None:
    Image.new("RGB", (100, 50)).save(tmp_path / "street.jpg")
    (tmp_path / "answer.json").write_text(json.dumps({"prediction": [[0.0, 0.9, 0.1, 0.2, 0.5, 0.6]]}))
    boxed = make_boxes(make_box(), make_box()) | {"box-metadata": metadata}
    path = write(tmp_path / "boxes.manifest", boxed)

    answer = invoke(
        "draw", path, tmp_path / "street.jpg", "--found", tmp_path / "answer.json", "--attribute", "box", "-o", output
    )

    assert answer.exit_code == 0, answer.stderr
    titles = [element.text for element in ElementTree.parse(output).iter() if element.tag.endswith("title")]  # noqa: S314
    assert titles.count(title) == 2
