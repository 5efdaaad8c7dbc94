"""`headrace packed`: what it prints and writes, and what it says of bad files."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from headrace.cli import cli


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["packed", *map(str, arguments)])


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    for name, level in (("a.png", 10), ("b.png", 200)):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), level, np.uint8)).save(tmp_path / "in" / name)
    (tmp_path / "classes.txt").write_text("ant\nbee\n")
    path = tmp_path / "train.lst"
    path.write_text("7\t1\ta.png\n5\t0\tb.png\n")
    return path


def test_packs_a_list_and_says_what_is_in_the_set(tmp_path: Path, listed: Path) -> None:
    written = invoke(
        "write", listed, tmp_path / "in", tmp_path / "set", "--side", "4", "--labels", tmp_path / "classes.txt"
    )
    facts = "records\t2\nheight\t4\nwidth\t4\ncolours\t3\nshards\t1\nbytes\t224\n"

    assert (written.exit_code, written.stdout) == (0, f"output\t{tmp_path / 'set'}\n{facts}")
    info = invoke("info", tmp_path / "set")
    assert info.exit_code == 0
    assert info.stdout.startswith(facts)
    assert [line.split() for line in info.stdout.splitlines()[-2:]] == [["0", "ant", "1"], ["1", "bee", "1"]]
    assert json.loads(invoke("info", tmp_path / "set", "--json").stdout)["classes"][1] == {
        "class": 1,
        "label": "bee",
        "records": 1,
    }


def test_leaves_out_what_is_bad_if_asked(tmp_path: Path, listed: Path) -> None:
    listed.write_text(listed.read_text() + "9\t0\tnone.png\n")

    whole = invoke("write", listed, tmp_path / "in", tmp_path / "set")
    rest = invoke("write", listed, tmp_path / "in", tmp_path / "set", "--skip-bad", "--json")

    assert (whole.exit_code, whole.stdout) == (1, "")
    assert whole.stderr == f"Error: {tmp_path}/in/none.png: No such file or directory\n"
    assert rest.exit_code == 0
    assert json.loads(rest.stdout)["skipped"] == 1


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("ant\n\n", "line 2: is blank"),
        ("ant\nant\n", "line 2: 'ant' occurs twice"),
        ("ant\n", "class 1 has no name"),
        ("ant\nb\x1b[2J\n", r"line 2: 'b\x1b[2J' has characters"),
    ],
)
def test_refuses_names_that_do_not_name_the_classes(tmp_path: Path, listed: Path, names: str, reason: str) -> None:
    (tmp_path / "classes.txt").write_text(names)

    answer = invoke("write", listed, tmp_path / "in", tmp_path / "set", "--labels", tmp_path / "classes.txt")

    assert answer.exit_code == 1
    assert reason in answer.stderr
    assert not (tmp_path / "set").exists()


def test_says_which_record_is_damaged(tmp_path: Path, listed: Path) -> None:
    invoke("write", listed, tmp_path / "in", tmp_path / "set", "--side", "4")
    path = tmp_path / "set/pixels-00000.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    answer = invoke("info", tmp_path / "set")

    assert answer.exit_code == 1
    assert f"{path}, record 1 (index 5): its pixels do not have their checksum" in answer.stderr
