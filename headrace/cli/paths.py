"""Files that commands read and write; `-` is standard input or standard output."""

import os
import stat
from pathlib import Path
from typing import Any, Final

import click

from headrace.files import STANDARD_OUTPUT_NUMBER, find_descriptor, identify, is_stream
from headrace.inputs import rereadable

_DASH: Final = "-"
_STREAMS: Final = "headrace.cli.paths.streams"


class InputFile(click.Path):
    """A file to read; what a pipe holds is put aside first, so that any command may read it as often as it needs.

    Args:
        exists: Whether it is wrong usage to name one that is not there.
        waits: Whether a pipe is read only once it is needed, and then only once.
        folders: Whether a folder of files may stand there, too.
    """

    def __init__(self, *, exists: bool = True, waits: bool = False, folders: bool = False) -> None:
        super().__init__(exists=exists, dir_okay=folders, path_type=Path)
        self._waits = waits

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; that of standard input for a dash."""
        path = Path(os.fsdecode(super().convert("/dev/stdin" if value == _DASH else value, param, ctx)))
        if ctx and not (ctx.resilient_parsing or self._waits or path.is_dir()) and is_stream(path):
            self._put_aside(path, param, ctx)
        return path

    def _put_aside(self, path: Path, param: click.Parameter | None, ctx: click.Context) -> None:
        streams: list[object] = ctx.meta.setdefault(_STREAMS, [])
        if not stat.S_ISCHR(path.stat().st_mode) and identify(path) in streams:
            self.fail(f"{path} can be read only once; give it once", param, ctx)
        streams.append(identify(path))
        ctx.with_resource(rereadable(path))


class OutputFile(click.Path):
    """A file to write."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; that of standard output for a dash."""
        return Path(os.fsdecode(super().convert("/dev/stdout" if value == _DASH else value, param, ctx)))


INPUT_FILE: Final = InputFile()
INPUT_PLACE: Final = InputFile(folders=True)
OUTPUT_FILE: Final = OutputFile()


def report(text: object, *outputs: Path | None) -> None:
    """Print what a command says beside its outputs; on standard error where one of these is standard output."""
    click.echo(text, err=any(output and find_descriptor(output) == STANDARD_OUTPUT_NUMBER for output in outputs))
