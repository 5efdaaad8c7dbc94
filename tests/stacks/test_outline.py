"""Tests of the YAML in which templates are written down."""

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.stacks.outline import WIDTH, write_outline
from tests.stacks.snapshots import IMAGE_TAG
from tests.stacks.test_templates import templates_of

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=60)
LEAVES = st.none() | st.booleans() | st.integers() | TEXTS
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=40,
)


@given(DOCUMENTS)
def test_is_read_back_as_what_was_written(document: Any) -> None:
    assert yaml.safe_load(write_outline(document)) == document


def test_templates_are_read_back_as_they_were() -> None:
    for template in templates_of("dev").values():
        expected = json.loads(IMAGE_TAG.sub(":<image-tag>", json.dumps(template)))

        assert yaml.load(write_outline(expected), Loader=yaml.CSafeLoader) == expected


def test_opens_only_what_is_wider_than_a_line() -> None:
    long = "x" * WIDTH

    assert write_outline({"b": [1, {"c": "yes"}], "a:": None}) == '{"a:": null, b: [1, {c: "yes"}]}'
    assert write_outline({"b": [{"c": long, "d": 1}]}) == f'b:\n - c: "{long}"\n   d: 1'
