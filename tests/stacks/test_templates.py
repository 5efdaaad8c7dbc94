"""The templates, whole: an alarm for changes nobody meant to make.

`make snapshots` writes them anew; the difference belongs into the commit that caused it.
"""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.stacks.conftest import IMAGE_TAG, template_of

SNAPSHOTS = PROJECT / "tests" / "snapshots"
UPDATE = "MILLRACE_UPDATE_SNAPSHOTS"


def render(stack: str, environment: str) -> str:
    """A stack's template as text, without what changes with every container's content."""
    template = template_of(stack, environment).to_json()
    return IMAGE_TAG.sub(":<image-tag>", json.dumps(template, indent=1, sort_keys=True)) + "\n"


def expected(path: Path, found: str) -> str:
    """What the snapshot says; with the variable set, it says what was found."""
    if UPDATE in os.environ:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found)
    return path.read_text()


@pytest.mark.parametrize("stack", ["Storage", "Registry", "Pipeline"])
def test_synthesizes_the_same_template_as_before(stack: str, environment: str) -> None:
    found = render(stack, environment)

    assert found == expected(SNAPSHOTS / environment / f"{stack}.json", found)
