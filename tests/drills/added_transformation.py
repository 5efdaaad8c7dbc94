"""docs/transformations.md adds a transformation that works, and touches no more than it says."""

import re
from typing import Final

from tests.conftest import PROJECT
from tests.drills.addition import Addition
from tests.drills.checkout import Checkout

_PAGE: Final = (PROJECT / "docs" / "transformations.md").read_text(encoding="utf-8")
_FILES: Final = dict(re.findall(r"^`([\w./]+)`:\n\n```python\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL))
[(_REGISTRY, _ANCHOR, _ENTRY)] = re.findall(
    r"in `(headrace/transformations/[\w.]+)`:\n\n```diff\n (.*?\n)\+(.*?\n)", _PAGE, re.DOTALL
)
[(_PROGRAM, _SHOWN)] = re.findall(
    r"read it:\n\n```python\n(.*?)^```\n```text\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL
)
_TEST: Final = f"""
import pytest

from stacks.settings.normalizer import ConsumerSettings


def test_transforms_and_refuses_as_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec({_PROGRAM!r}, {{}})

    assert capsys.readouterr() == ({_SHOWN!r}, "")


def test_is_a_choice_of_consumers() -> None:
    assert ConsumerSettings(name="a", transformation="audio")
"""


def _add(checkout: Checkout) -> None:
    for name, text in _FILES.items():
        checkout.write(name, text)
    checkout.insert_after(_REGISTRY, _ANCHOR, _ENTRY)


TRANSFORMATION: Final = Addition(
    name="a transformation",
    add=_add,
    touches=frozenset({*_FILES, _REGISTRY}),
    added_lines={_REGISTRY: 1},
    tests=("tests/headrace/transformations/test_registry.py", "tests/lambdas/image_normalizer/test_handler.py"),
    own_tests={"tests/headrace/transformations/test_audio.py": _TEST},
)
