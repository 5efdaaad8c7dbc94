"""The command line: one command per thing a person does, each a call of the library."""

import ast
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click

from headrace.cli.messages import clear_errors
from headrace.cli.standard_streams import OutputClosedError, guard_standard_streams

_COMMANDS = (
    "adopt",
    "changes",
    "channels",
    "containers",
    "cost",
    "data",
    "demand",
    "deploy",
    "doctor",
    "documents",
    "drift",
    "grants",
    "local",
    "lst",
    "manifest",
    "packed",
    "pipeline",
    "prices",
    "recordio",
    "teardown",
)
# As a shell counts what a signal has ended.
_SIGNALLED = 128
_stopped_by: list[signal.Signals] = []


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands as Click does, with what their sources say of them: that takes no import."""
        limit = formatter.width - 6 - max(map(len, _COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _read_command(name).get_short_help_str(limit)) for name in _COMMANDS])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong becomes a message here, before Click swallows a broken pipe."""
        with clear_errors():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments start with; the nearest is suggested for one that is not there."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # Click suggests among commands that are imported already.
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=_COMMANDS, ctx=ctx) from None


def _read_command(name: str) -> click.Command:
    """A command that knows its help and nothing else."""
    module = ast.parse(Path(__file__).with_name(f"{name}.py").read_bytes())
    (function,) = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return click.Command(name, help=ast.get_docstring(function))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="headrace")
def cli() -> None:
    """An ML team's data and training platform, on AWS and on one machine."""


def main() -> None:
    """Run the command line and exit as docs/command-line.md says."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # A program that runs under nohup is not to hear of its terminal's end.
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    guard_standard_streams()
    code = _find_exit_code(lambda: cli(standalone_mode=False))
    sys.exit(_find_exit_code(sys.stdout.flush) or code)


def _find_exit_code(work: Callable[[], object]) -> int:
    """Do the work, say what ended it before its time, and give the exit code."""
    try:
        with clear_errors():
            code = work()
    except SystemExit as stop:
        code = stop.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _report_stop()
    except OutputClosedError:
        return _SIGNALLED + signal.SIGPIPE
    # Click returns, and does not raise, what a command has exited with; most return nothing.
    return code if isinstance(code, int) else 0


def _report_stop() -> int:
    number = _stopped_by[0] if _stopped_by else signal.SIGINT
    click.echo(f"stopped by {'Ctrl-C' if number == signal.SIGINT else number.name}", err=True)
    return _SIGNALLED + number


def _stop(number: int, _frame: FrameType | None) -> None:
    # A second signal must not interrupt the clean-up.
    signal.signal(number, signal.SIG_IGN)
    _stopped_by.append(signal.Signals(number))
    # Unwinds like Ctrl-C, so that everything started is stopped; DuckDB heeds this exception only.
    raise KeyboardInterrupt
