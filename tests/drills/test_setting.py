"""A setting is added by its section and its consumer, and the page of settings follows."""

import sys

import pytest

from tests.drills.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECTION, CONSUMER, PAGE = "stacks/settings/storage.py", "stacks/storage_stack.py", "docs/settings.md"
DESCRIPTION = (
    '"""The buckets: the platform\'s own, and how long they keep what is no longer read, or somebody else\'s."""'
)
SETTING = """    execution_days: Annotated[
        Days,
        Setting("how long what executions make is kept", cost="0.023 per GB and month", change=IN_PLACE),
    ] = 400
"""
RULE = """
            self.work.add_lifecycle_rule(
                prefix=contract.EXECUTIONS_PREFIX, expiration=Duration.days(settings.execution_days)
            )
"""
SYNTHESIZE = """
from tests.stacks.conftest import template_of
print(template_of("Storage").to_json())
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with one more setting."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    checkout.insert_after(SECTION, f"    {DESCRIPTION}\n\n", SETTING)
    checkout.insert_after(CONSUMER, "expiration=Duration.days(settings.cache_days))", RULE)
    checkout.write(PAGE, checkout.run(sys.executable, "-m", "stacks.settings.table").stdout)
    return checkout


def test_touches_the_section_the_consumer_and_the_page_that_is_generated(checkout: Checkout) -> None:
    assert checkout.list_touched() == {SECTION, CONSUMER, PAGE}


def test_reaches_the_template(checkout: Checkout) -> None:
    answer = checkout.run(sys.executable, "-c", SYNTHESIZE)

    assert "'ExpirationInDays': 400, 'Prefix': 'executions/'" in answer.stdout, answer.stderr


def test_is_in_the_page_of_settings(checkout: Checkout) -> None:
    assert "| `storage.execution_days` | how long what executions make is kept | whole number, 1 to 3650 | `400` |" in (
        checkout.folder / PAGE
    ).read_text(encoding="utf-8")


def test_is_checked_without_another_line(checkout: Checkout) -> None:
    tests = ["tests/stacks/settings/test_table.py", "tests/stacks/settings/test_changes.py"]

    answer = checkout.run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "execution_days or each_setting", *tests
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "2 passed" in answer.stdout
