"""A setting is added by its section and its consumer, and the page of settings follows."""

import sys
from typing import Final

from tests.drills.addition import Addition
from tests.drills.checkout import Checkout

_SECTION: Final = "stacks/settings/storage.py"
_CONSUMER: Final = "stacks/storage_stack.py"
_PAGE: Final = "docs/settings.md"
_DESCRIPTION: Final = (
    '"""The buckets: the platform\'s own, and how long they keep what is no longer read, or somebody else\'s."""'
)
_SETTING: Final = """    execution_days: Annotated[
        Days,
        Setting("how long what executions make is kept", cost="0.023 per GB and month", change=IN_PLACE),
    ] = 400
"""
_RULE: Final = """
            self.work.add_lifecycle_rule(
                prefix=contract.EXECUTIONS_PREFIX, expiration=Duration.days(settings.execution_days)
            )
"""
_TEST: Final = """
from tests.conftest import PROJECT
from tests.stacks.conftest import template_of


def test_reaches_the_template() -> None:
    assert "'ExpirationInDays': 400, 'Prefix': 'executions/'" in str(template_of("Storage").to_json())


def test_is_in_the_page_of_settings() -> None:
    row = "| `storage.execution_days` | how long what executions make is kept | whole number, 1 to 3650 | `400` |"

    assert row in (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
"""


def _add(checkout: Checkout) -> None:
    checkout.insert_after(_SECTION, f"    {_DESCRIPTION}\n\n", _SETTING)
    checkout.insert_after(_CONSUMER, "expiration=Duration.days(settings.cache_days))", _RULE)
    checkout.write(_PAGE, checkout.run(sys.executable, "-m", "stacks.settings.table").stdout)


SETTING: Final = Addition(
    name="a setting",
    add=_add,
    touches=frozenset({_SECTION, _CONSUMER, _PAGE}),
    # They find it without another line.
    tests=(
        "tests/stacks/settings/test_table.py::test_says_of_each_setting_what_it_costs_and_what_changing_it_does",
        "tests/stacks/settings/test_changes.py::test_says_what_changing_a_setting_does[storage.execution_days]",
    ),
    own_tests={"tests/stacks/settings/test_execution_days.py": _TEST},
)
