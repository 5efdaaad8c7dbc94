"""docs/porting-a-notebook.md says what the code does."""

import io
import os
import re
import shlex
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.io
from click.testing import CliRunner
from PIL import Image

from headrace import data
from headrace.cli.data import data as commands
from tests.conftest import PROJECT
from tests.headrace.data.buckets import Bucket
from tests.headrace.data.conftest import s3, s3_environment  # noqa: F401 (fixtures)

PAGE = (PROJECT / "docs" / "porting-a-notebook.md").read_text()
SNIPPETS = "".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^headrace data (.*?)(?: \| .*)?$", PAGE, re.MULTILINE)


def put_samples(raw: str, folder: Path) -> None:
    """What the page's snippets read."""
    photograph = io.BytesIO()
    Image.new("RGB", (4, 4)).save(photograph, "JPEG")
    data.write_bytes(f"{raw}/images/cat.jpg", photograph.getvalue())
    data.write_bytes(f"{raw}/sales.csv", b"item,price\nFDA15,249.8\n")
    data.write_bytes(f"{raw}/bigmart/Train.csv", b"Item_Identifier\nFDA15\n")
    scipy.io.savemat(folder / "heart.mat", {"signal": np.arange(3)})
    database = sqlite3.connect(folder / "signals.db")
    database.executescript("create table beats (at); insert into beats values (1), (2)")
    database.close()
    for name in ("heart.mat", "signals.db"):
        data.replicate(folder / name, f"{raw}/{name}")


@pytest.fixture(params=[pytest.param("s3", marks=pytest.mark.slow), "folder"])
def places(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The page's two places, in S3 and as folders, with its samples."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    if request.param == "s3":
        client = request.getfixturevalue("s3")
        found = {name: Bucket.create(client).uri for name in ("RAW", "WORK")}
    else:
        found = {name: str(tmp_path / name) for name in ("RAW", "WORK")}
    put_samples(found["RAW"], tmp_path)
    return found


def test_shows_snippets_that_run(places: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"os": os, "pd": pd, "pl": pl, "scipy": scipy, "sqlite3": sqlite3, "Image": Image, **places}

    exec(SNIPPETS, names)  # noqa: S102 (the project's own page)

    assert capsys.readouterr().out == "1 copied, 0 unchanged, 0 missing\n"
    assert names["ending"] == b"\xff\xd9"
    assert names["beats"] == 2
    assert names["table"]["price"].to_list() == names["frame"]["price"].to_list() == [249.8]
    assert names["lazy"].shape == (1, 1)
    assert names["signal"]["signal"].tolist() == [[0, 1, 2]]
    assert names["photograph"].size == (4, 4)
    assert data.read_bytes(f"{places['WORK']}/backup/images/cat.jpg") == Path("images/cat.jpg").read_bytes()
    assert data.read_bytes(f"{places['WORK']}/images/cat.jpg") == names["content"]


def test_shows_commands_that_run(places: dict[str, str]) -> None:
    for command in COMMANDS:
        written = command.replace("s3://raw", places["RAW"]).replace("s3://work", places["WORK"])
        answer = CliRunner().invoke(commands, shlex.split(written))
        if "--dry-run" in command:
            data.replicate("images", f"{places['WORK']}/images/")

        assert answer.exit_code == 0, (command, answer.output)
        assert answer.stdout or "unchanged" in answer.stderr


def test_shows_every_command() -> None:
    assert {command.split()[0] for command in COMMANDS} == set(commands.commands)


def test_has_a_section_for_each_of_the_seven_ways() -> None:
    assert re.findall(r"^## ([0-9])\.", PAGE, re.MULTILINE) == list("1234567")
