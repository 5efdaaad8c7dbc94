"""Files that commands read and write; `-` is standard input or standard output."""

import os
import stat
from pathlib import Path
from typing import Any, Final

import click

from headrace.files import STANDARD_OUTPUT_NUMBER, find_descriptor, identify, is_stream

_DASH: Final = "-"
_STREAMS_READ: Final = "headrace.cli.paths.streams_read"


class InputFile(click.Path):
    """A file to read, or a pipe: that only once in a command."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; that of standard input for a dash."""
        path = Path(os.fsdecode(super().convert("/dev/stdin" if value == _DASH else value, param, ctx)))
        if ctx and is_stream(path) and not stat.S_ISCHR(path.stat().st_mode):
            read: list[object] = ctx.meta.setdefault(_STREAMS_READ, [])
            if identify(path) in read:
                self.fail(f"{value} can be read only once; name it once", param, ctx)
            read.append(identify(path))
        return path


class OutputFile(click.Path):
    """A file to write."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; that of standard output for a dash."""
        return Path(os.fsdecode(super().convert("/dev/stdout" if value == _DASH else value, param, ctx)))


INPUT_FILE: Final = InputFile()
OUTPUT_FILE: Final = OutputFile()


def report(text: object, *outputs: Path | None) -> None:
    """Print what a command says, beside its outputs: on standard error where one of these is standard output."""
    takes_output = any(output and find_descriptor(output) == STANDARD_OUTPUT_NUMBER for output in outputs)
    click.echo(text, err=takes_output)
