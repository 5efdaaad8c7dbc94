"""The command line: one command per thing a person does, each a call of the library."""

import signal
import sys
from importlib import import_module
from types import FrameType

import click

_COMMANDS = ("channels", "data", "images", "local", "lst", "manifest", "recordio")


class _TerminatedError(BaseException):
    """SIGTERM arrived; unwinds like Ctrl-C, so that everything started is stopped."""


class _LazyGroup(click.Group):
    """Commands that are imported when they are asked for: together they take half a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (Click's signature)
        """The names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name: the one that its module calls the same."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"headrace.cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="headrace")
def cli() -> None:
    """An ML team's data and training platform, on AWS and on one machine."""


def main() -> None:
    """Run the command line; exits 130 on Ctrl-C and 143 on SIGTERM."""
    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped by Ctrl-C", err=True)
        sys.exit(130)
    except _TerminatedError:
        click.echo("stopped by SIGTERM", err=True)
        sys.exit(143)


def _raise_terminated(_signum: int, _frame: FrameType | None) -> None:
    raise _TerminatedError
