"""The project's own name, and what may be done with it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORMER = "mill" + "race"
# The record of the change, and the line that announces it.
TELLS_OF_THE_FORMER_NAME = {"docs/decisions/0009-the-name.md", "tests/test_name.py"}
# A bare name is what the index decides; a path, an editable checkout or an address is not.
INSTALLED_FROM_AN_INDEX = re.compile(
    r"""(?:pip3?|uv|pipx|uvx)\s+(?:install|add|run|tool)[^\n]*?[\s'"]headrace(?:\[[\w,]*\])?(?!\s*@)['"`\s;.]"""
)


def list_texts() -> list[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    files = [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]
    return [(name, (ROOT / name).read_text(errors="replace")) for name in files]


def test_nothing_has_the_former_name_but_the_record_of_the_change() -> None:
    named = {name for name, text in list_texts() if FORMER in (name + text).lower()}

    assert named <= TELLS_OF_THE_FORMER_NAME


def test_nobody_is_told_to_install_the_name_from_an_index() -> None:
    told = [
        name for name, text in list_texts() if INSTALLED_FROM_AN_INDEX.search(text) and name != "tests/test_name.py"
    ]

    assert told == ["docs/decisions/0009-the-name.md"]


@pytest.mark.parametrize(
    "line", ["pip install 'headrace[data]'", "uv pip install headrace ", "pipx install headrace\n"]
)
def test_recognizes_an_installation_from_an_index(line: str) -> None:
    assert INSTALLED_FROM_AN_INDEX.search(line)


@pytest.mark.parametrize(
    "line", ["pip install '.[data]'", "pip install 'headrace @ git+https://example.com/headrace.git'"]
)
def test_leaves_the_checkout_and_addresses_alone(line: str) -> None:
    assert not INSTALLED_FROM_AN_INDEX.search(line)
