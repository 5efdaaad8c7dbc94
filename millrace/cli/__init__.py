"""The command line: one command per thing a person does, each a call of the library."""

import signal
import sys
from types import FrameType

import click

from millrace.cli.channels import channels
from millrace.cli.data import data
from millrace.cli.images import images
from millrace.cli.local import local
from millrace.cli.lst import lst
from millrace.cli.manifest import manifest
from millrace.cli.recordio import recordio


class _TerminatedError(BaseException):
    """SIGTERM arrived; unwinds like Ctrl-C, so that everything started is stopped."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="millrace")
def cli() -> None:
    """An ML team's data and training platform, on AWS and on one machine."""


cli.add_command(channels)
cli.add_command(data)
cli.add_command(images)
cli.add_command(local)
cli.add_command(lst)
cli.add_command(manifest)
cli.add_command(recordio)


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
