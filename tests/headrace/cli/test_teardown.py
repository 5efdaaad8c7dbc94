"""What is refused before anything is looked at, let alone deleted."""

import pytest
from click.testing import CliRunner

from headrace.cli import cli


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--env", "OWN"], "'OWN' is not a name of an environment"),
        (["--env", ""], "'' is not a name of an environment"),
        (["--env", "../x"], "is not a name of an environment"),
        (["--env", "dev", "--region", "mars"], "'mars' is not a Region"),
    ],
)
def test_refuses_what_can_only_be_a_mistake(arguments: list[str], reason: str) -> None:
    refused = CliRunner().invoke(cli, ["teardown", "--yes", *arguments])

    assert refused.exit_code == 2
    assert reason in refused.stderr
