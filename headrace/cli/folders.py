"""Folders of images, of which commands make lists and manifests."""

from pathlib import Path
from typing import Final

import click

from headrace.lst.making import Finder

FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)

also_option = click.option(
    "--also",
    metavar="SUFFIX",
    multiple=True,
    help="Also include files with this suffix, such as .bmp.  [default: .jpeg .jpg .png]",
)


def report_left_out(source: object, finder: Finder) -> None:
    """Report what was not an image, if anything was not."""
    if finder.left_out:
        click.echo(f"{source}: {finder}; --also includes files with another suffix", err=True)
