"""Every fault that was found names a test that exists."""

import re

import pytest

from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "faults.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))
FAULTS = {"The data library": 14, "The programs": 8, "The local cloud": 13}


@pytest.mark.parametrize(("title", "count"), FAULTS.items())
def test_lists_every_numbered_fault(title: str, count: int) -> None:
    section = PAGE.split(f"## {title}")[1].split("\n## ")[0]

    assert {int(number) for number in re.findall(r"^\| (\d+)", section, re.MULTILINE)} == set(range(1, count + 1))


def test_lists_every_fault_on_aws() -> None:
    section = PAGE.split("## On AWS")[1]

    assert {int(number) for number in re.findall(r"^\| A(\d+)", section, re.MULTILINE)} == set(range(1, 17))


@pytest.mark.parametrize("name", NAMED)
def test_names_a_test_that_exists(name: str) -> None:
    path, _, test = name.partition("::")
    source = (PROJECT / path).read_text()

    assert not test or f"def {test.split('::')[-1].partition('[')[0]}(" in source
