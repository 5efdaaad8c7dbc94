"""docs/transformations.md adds a transformation that works, and touches no more than it says."""

import re
import sys

import pytest

from tests.conftest import PROJECT
from tests.drills.checkout import Checkout

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs" / "transformations.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
[(REGISTRY, ANCHOR, ENTRY)] = re.findall(
    r"in `(headrace/transformations/[\w.]+)`:\n\n```diff\n (.*?\n)\+(.*?\n)", PAGE, re.DOTALL
)
[(PROGRAM, SHOWN)] = re.findall(
    r"read it:\n\n```python\n(.*?)^```\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)
# The tests that hold for whatever transformations there are.
GENERAL_TESTS = ("tests/headrace/transformations/test_registry.py", "tests/lambdas/image_normalizer/test_handler.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout to which the page's transformation has been added."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"), checks_types=True)
    for name, text in FILES.items():
        checkout.write(name, text)
    checkout.insert_after(REGISTRY, ANCHOR, ENTRY)
    return checkout


def test_touches_a_folder_and_a_line_of_the_registry(checkout: Checkout) -> None:
    assert checkout.list_touched() == {*FILES, REGISTRY}
    assert checkout.count_added_lines(REGISTRY) == 1


def test_keeps_the_rules_of_the_house(checkout: Checkout) -> None:
    touched = sorted(checkout.list_touched())
    for command in (
        ("ruff", "check", *touched),
        ("ruff", "format", "--check", *touched),
        ("mypy", *touched),
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *GENERAL_TESTS),
    ):
        answer = checkout.run(*command)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_transforms_and_refuses_as_the_page_shows(checkout: Checkout) -> None:
    answer = checkout.run(sys.executable, "-c", PROGRAM)

    assert (answer.stdout, answer.stderr) == (SHOWN, "")


def test_is_a_choice_of_consumers(checkout: Checkout) -> None:
    program = "from stacks.settings.normalizer import ConsumerSettings as C; C(name='a', transformation='audio')"

    answer = checkout.run(sys.executable, "-c", program)

    assert answer.returncode == 0, answer.stderr
