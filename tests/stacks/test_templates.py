"""The templates, whole: an alarm for changes nobody meant to make.

`make snapshots` writes them anew; the difference belongs into the commit that caused it. An environment has a file for
each of its stacks, a switch for each stack that it makes differ from dev's.
"""

import json
import os
import shutil

from tests.conftest import PROJECT
from tests.stacks.conftest import IMAGE_TAG, SWITCHES, list_stacks, template_of

SNAPSHOTS = PROJECT / "tests" / "snapshots"
UPDATE = "HEADRACE_UPDATE_SNAPSHOTS"


def render(variant: str) -> dict[str, str]:
    """A variant's templates as text, without what changes with every container's content."""
    return {
        stack: IMAGE_TAG.sub(
            ":<image-tag>", json.dumps(template_of(stack, variant).to_json(), indent=1, sort_keys=True)
        )
        + "\n"
        for stack in list_stacks(variant)
    }


def test_synthesizes_the_same_templates_as_before(variant: str) -> None:
    found = render(variant)
    if variant in SWITCHES:
        base = render("dev")
        found = {stack: text for stack, text in found.items() if text != base.get(stack)}
    folder = SNAPSHOTS / variant
    if UPDATE in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for stack, text in found.items():
            (folder / f"{stack}.json").write_text(text)

    assert found == {path.stem: path.read_text() for path in folder.glob("*.json")}
