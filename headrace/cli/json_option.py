"""The option for results that programs read."""

from typing import Final

import click

JSON_OPTION: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
