"""docs/doctor.md has a line for every check, with its severities, and every permission."""

import ast
import json
import re

from headrace.doctor import Check, Severity
from headrace.doctor.permissions import ACTIONS
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "doctor.md").read_text()
ROW = re.compile(r"^\| `([a-z-]+)` \| .+ \| ([a-z, ]+) \| .+ \|$", re.MULTILINE)
SOURCES = sorted((PROJECT / "headrace" / "doctor").glob("*.py"))


def list_names(kind: str) -> set[str]:
    """The members of an enumeration that the doctor's files use."""
    nodes = (node for source in SOURCES for node in ast.walk(ast.parse(source.read_text())))
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == kind
    }


def test_has_a_line_for_every_check() -> None:
    assert [check for check, _ in ROW.findall(PAGE)] == list(Check)


def test_has_no_check_that_is_never_made() -> None:
    assert list_names("Check") == set(Check.__members__)


def test_knows_the_severities() -> None:
    assert {word for _, severities in ROW.findall(PAGE) for word in severities.split(", ")} == set(Severity)


def test_lists_the_permissions() -> None:
    statement = next(
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if "Action" in block
    )

    assert statement["Action"] == sorted(ACTIONS.values())
