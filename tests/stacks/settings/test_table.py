"""Every setting is in docs/settings.md, with what it costs and what changing it does."""

import pytest

from stacks.settings.table import list_settings, render_page
from tests.conftest import PROJECT


def test_says_of_each_setting_what_it_costs_and_what_changing_it_does() -> None:
    facts = {".".join(row.path): row.facts for row in list_settings() if row.path != ("environment",)}

    assert {name for name, said in facts.items() if not all([said.means, said.cost, said.change.text])} == set()
    assert len(facts) > 400


def test_has_a_page_of_all_settings_as_they_are() -> None:
    assert (PROJECT / "docs" / "settings.md").read_text() == render_page(), "make settings-table writes it anew"


def test_refuses_a_setting_without_its_facts() -> None:
    (environment,) = (row for row in list_settings() if row.path == ("environment",))

    with pytest.raises(LookupError, match=r"^environment: write a Setting\(…\) beside its type$"):
        environment.render()


def find_line(setting: str) -> str:
    (line,) = (line for line in render_page().splitlines() if line.startswith(f"| `{setting}` |"))
    return line


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("network.availability_zones", "2, 3 or a list of two or three names, such as eu-central-1a | `2`"),
        ("retain_data", "true or false | **must be given**"),
        ("file_systems.fsx.deployment", '`"PERSISTENT_2"` or `"SCRATCH_2"`'),
        ("bigmart.preprocessing.train_test_split_ratio", "number, between 0 and 1 | `0.1`"),
        ("network.cidr", "text, an IPv4 network from /16 to /24"),
        ("normalizer.reserved_concurrency", "whole number, 1 to 10000 or null | `null`"),
        ("images.training.channels[].source", '`"s3"` or `"sets"`'),
        ("normalizer.consumers", "list of objects"),
        ("normalizer.consumers[].name", "at most 30 characters"),
        ("file_systems.efs.enabled", "replaces or removes `AWS::EFS::FileSystem`"),
        ("network.cidr", "**Not on a living environment**: make the network anew"),
    ],
)
def test_writes_type_bounds_default_and_change(setting: str, words: str) -> None:
    assert words in find_line(setting)
