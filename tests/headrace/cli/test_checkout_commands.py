"""Commands that need the checkout say so, and their help works without."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from headrace import checkout, extras
from headrace.cli.checkout_commands import CheckoutCommand
from headrace.cli.containers import containers
from headrace.cli.local import local


def list_commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield from list_commands(command) if isinstance(command, click.Group) else [command]


@pytest.mark.parametrize("group", [containers, local], ids=lambda group: group.name)
def test_every_command_that_reads_the_checkout_checks_for_it(group: click.Group) -> None:
    assert [command.name for command in list_commands(group) if not isinstance(command, CheckoutCommand)] == []


@pytest.mark.parametrize(("group", "command"), [(containers, "list"), (local, "down")])
def test_refuses_a_command_without_the_checkout(
    group: click.Group, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checkout, "CHECKOUT", tmp_path)

    answer = CliRunner().invoke(group, [command])

    assert isinstance(answer.exception, checkout.NoCheckoutError)
    assert CliRunner().invoke(group, [command, "--help"]).exit_code == 0


def test_refuses_the_local_cloud_without_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)

    answer = CliRunner().invoke(local, ["down"])

    assert isinstance(answer.exception, extras.MissingExtraError)
