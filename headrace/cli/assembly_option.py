"""The option for the app that `cdk synth` wrote."""

from pathlib import Path
from typing import Final

import click

ASSEMBLY_OPTION: Final = click.option(
    "--assembly",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("cdk.out"),
    show_default=True,
    help="The synthesized app that is to be deployed.",
)
