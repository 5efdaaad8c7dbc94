"""The list of commands, which is shown without importing them."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from headrace.cli import cli

SHOW_HELP = """
import sys
from headrace.cli import cli

cli(["--help"], standalone_mode=False)
print([name for name in sys.modules if name.startswith("headrace.cli.")])
"""


def test_lists_each_command_with_what_its_own_help_begins_with() -> None:
    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in cli.list_commands(context)]

    shown = CliRunner().invoke(cli, ["--help"], terminal_width=300).output

    rows = [line.split(maxsplit=1) for line in shown.partition("Commands:\n")[2].splitlines()]
    assert rows == [[command.name, command.get_short_help_str(300)] for command in commands if command]


@pytest.mark.slow
def test_imports_no_command_to_list_them() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW_HELP], capture_output=True, text=True, check=True)

    imported = done.stdout.splitlines()[-1]
    assert imported == "['headrace.cli.messages', 'headrace.cli.standard_streams']"
