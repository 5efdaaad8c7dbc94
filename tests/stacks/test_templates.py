"""The templates, whole: an alarm for unintended changes.

`make snapshots` writes them anew; the difference belongs into the commit that caused it. dev has a file for each of its
stacks; prod and each switch have one for each stack that differs from dev's, with the difference. What another
difference has, word for word, is only referred to, and what is removed is counted: dev's file has it.
"""

import copy
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.stacks.conftest import VARIANTS, read_stacks
from tests.stacks.snapshots import References, write_difference, write_template

SNAPSHOTS = PROJECT / "tests" / "snapshots"
UPDATE = "HEADRACE_UPDATE_SNAPSHOTS"
# The environment that is written down whole.
BASE = "dev"
# Two stacks of one kind: the second is written down as what differs from the first.
MODEL, LIKE = "BigMart", "Images"
# What would be too long to be read; its own tests say what matters of it.
UNWRITTEN = ("documents", "front-door")
WRITTEN = [variant for variant in VARIANTS if variant not in UNWRITTEN]


def templates_of(variant: str) -> dict[str, Mapping[str, Any]]:
    """A variant's templates by stack."""
    return {stack: made["template"] for stack, made in read_stacks(variant).items()}


@cache
def render_all() -> dict[str, dict[str, str]]:
    """What the files of each variant hold, by name."""
    base = templates_of(BASE)
    references = References()
    rendered = {BASE: {f"{stack}.yaml": write_template(template) for stack, template in base.items() if stack != LIKE}}
    rendered[BASE][f"{LIKE}.diff"] = write_difference(rename(base[MODEL]), base[LIKE])
    for variant in WRITTEN:
        if variant != BASE:
            rendered[variant] = render_difference(variant, references)
    return rendered


def render_difference(variant: str, references: References) -> dict[str, str]:
    """What differs from the base, of each stack that differs."""
    base, templates = templates_of(BASE), templates_of(variant)
    assert base.keys() <= templates.keys(), "a switch that takes a stack away has no place to say so"
    files = {}
    for stack, template in sorted(templates.items()):
        if difference := write_difference(base.get(stack, {}), template):
            others = [rename(difference)] if stack == MODEL else []
            files[f"{stack}.diff"] = references.shorten(difference, f"{variant}/{stack}", *others)
    return files


def rename(value: Any) -> Any:
    """What the second workload would have, if it were the first by another name."""
    text = json.dumps(value)
    for name in (MODEL, MODEL.lower()):
        text = text.replace(name, LIKE if name == MODEL else LIKE.lower())
    return json.loads(text)


@pytest.mark.parametrize("variant", WRITTEN)
def test_synthesizes_the_same_templates_as_before(variant: str) -> None:
    found = render_all()[variant]
    folder = SNAPSHOTS / variant
    if UPDATE in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in found.items():
            (folder / name).write_text(text)

    assert found == {path.name: path.read_text() for path in folder.iterdir()}


def test_keeps_snapshots_short_enough_to_review() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in SNAPSHOTS.glob("*/*"))

    assert lines <= 12_000


def mutate(value: Any) -> Iterator[Any]:
    """A value with one of its leaves changed or one of its entries gone, for each of them."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            yield from ({**value, key: mutant} for mutant in mutate(entry))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield value[:index] + value[index + 1 :]
            yield from ([*value[:index], mutant, *value[index + 1 :]] for mutant in mutate(entry))
    elif isinstance(value, str):
        yield f"{value}."
    else:
        yield not value if isinstance(value, bool) else value + 1


def test_any_change_of_a_template_changes_its_snapshot() -> None:
    one_of_each_kind = {
        resource["Type"]: {section: {name: resource}}
        for template in templates_of("prod").values()
        for section in ("Resources", "Parameters")
        for name, resource in template[section].items()
    }

    for template in one_of_each_kind.values():
        snapshot = write_template(template)

        assert all(write_template(mutant) != snapshot for mutant in mutate(template))


def test_any_change_of_a_switch_changes_its_difference() -> None:
    base = {"Resources": templates_of(BASE)["Storage"]["Resources"]}
    changed = {"Resources": templates_of("key")["Storage"]["Resources"]}
    difference = write_difference(base, changed)

    for mutant in mutate(changed["Resources"]):
        assert write_difference(base, {"Resources": mutant}) != difference


def test_any_change_of_a_switch_changes_its_difference_with_references() -> None:
    base = {"Resources": templates_of(BASE)["Storage"]["Resources"]}
    changed = {"Resources": templates_of("key")["Storage"]["Resources"]}

    def shorten(template: Mapping[str, Any]) -> str:
        references = References()
        references.shorten(write_difference(base, changed), "key/Storage")
        return references.shorten(write_difference(base, template), "other/Storage")

    assert "as in key/Storage" in shorten(changed)
    for mutant in mutate(changed["Resources"]):
        assert shorten({"Resources": mutant}) != shorten(changed)


def test_refers_only_to_what_is_written_in_the_file_that_is_named() -> None:
    rendered = render_all()

    for variant, files in rendered.items():
        for name, text in files.items():
            for line in text.splitlines():
                if found := re.search(r" as in ([\w-]+)/(\w+)$", line):
                    assert rendered[found[1]][f"{found[2]}.diff"], f"{variant}/{name}: {line}"


def test_a_switch_that_changes_nothing_has_no_difference() -> None:
    template = templates_of(BASE)["Storage"]

    assert write_difference(template, copy.deepcopy(template)) == ""
