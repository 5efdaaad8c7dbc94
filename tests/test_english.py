"""Phrases that a native technical writer would not use do not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FOLDERS = ("benchmarks", "containers", "docs", "headrace", "lambdas", "stacks", "tests")
PAGES = ("CONTRIBUTING.md", "Makefile", "README.md", "account.py", "app.py")
SUFFIXES = {".md", ".py"}
# What must not be written, and what says it better.
PHRASES = {
    r"(?<!here )\b(is|are) no (S3|address|feature|file|list|number|object|package|part|prefix|scale|secret|text)\b": (
        "'is not a …'"
    ),
    r"\bshall\b": "'must', 'can' or 'will'",
    r"\bwhole line work": "'the whole pipeline work'",
    r"\bhardly anything but\b": "'almost nothing except'",
    r"\bdear to make\b": "'expensive'",
    r"\bdear quer": "'the expensive query'",
    r"\bbear a crowd\b": "'handle many requests at once'",
    r"\bends the execution well\b": "'ends the execution successfully'",
    r"template's wish": "'rejects the template'",
    r"\bare all if left out\b": "'Without NAME, the command applies to all'",
    r"\bif left out\.?[\"'\]]": "'[default: …]' in a help text",
    r"\balso what is there\b": "'existing …'",
    r"\brun, too\b": "'run as well'",
    r"\bgiven wrongly\b": "'invalid'",
    r"\bof the kind '": "'no training has run yet'",
    r"\bhas nobody\b": "'has no entries'",
    r"\bin whose (path|source)": "'whose path matches'",
    r"\bgoes on where it\b": "'resumes'",
    r"\bwhat an image may cost\b": "'limits on the cost of an image'",
    r"\bof one's own\b": "'your own'",
    r"\b(is|are) there twice\b": "'occurs twice'",
    r"\bheadrace images\b": "'headrace containers'",
    r"\b(by|to) who\b": "who it is, such as 'to a role that'",
    r"\bwhoever\b": "who it is, such as 'the caller'",
    r"(?-i:\b[Nn]obody\b)(?![=}])": "a passive, or 'nothing', 'no command', …",
    r"\bin place of\b": "'instead of'",
    r"\btells\b": "'says', 'reports', 'distinguishes' or 'returns'",
    r"\b(an?|one) \w+ of (its|their) own\b": "'its own …'",
    r"\bmade anew\b": "'replaced' or 'regenerated'",
    r"\bhardly\b": "'almost no', 'rarely'",
    r"\bgets? lost\b": "'is lost'",
}
# What comes in is a photograph, what comes out a normalized image, and what runs a container image. The formats that
# `headrace lst`, `manifest` and `recordio` read have images of their own.
ROOMS_OF_PHOTOGRAPHS = (
    "containers",
    "headrace/container_images",
    "headrace/images",
    "headrace/local",
    "headrace/normalizer",
    "headrace/recipes",
    "headrace/workloads",
    "lambdas",
    "stacks",
)
BARE_IMAGE = re.compile(
    r"(?<![\w./'\"`$-])(?<![Nn]ormalized )(?<![Cc]ontainer )(?<!mirror )(?<!base )(?<!Training )(?<!Requested )"
    r"images?\b(?![\w/.:`-])(?! (format|normalizer|classif|preprocessing|training|inference|workload))"
)


def list_texts() -> list[Path]:
    below = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*") if path.suffix in SUFFIXES]
    return [path for path in (*below, *(REPOSITORY / page for page in PAGES)) if path != Path(__file__)]


@pytest.mark.parametrize("phrase", PHRASES)
def test_english_of_sources_and_pages(phrase: str) -> None:
    pattern = re.compile(phrase, re.IGNORECASE)

    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: write {PHRASES[phrase]}: {line.strip()}"
        for path in list_texts()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert found == []


def find_bare_images(path: Path) -> Iterator[str]:
    """The lines of a file's docstrings and messages that say only *image*."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for line in filter(BARE_IMAGE.search, node.value.splitlines()):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}: {line.strip()}"


@pytest.mark.parametrize("room", ROOMS_OF_PHOTOGRAPHS)
def test_says_which_image_is_meant(room: str) -> None:
    files = sorted((REPOSITORY / room).rglob("*.py"))

    assert [line for file in files for line in find_bare_images(file)] == []
