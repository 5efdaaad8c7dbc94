"""Options whose values are those of an enumeration."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import click


def choice_option(name: str, default: StrEnum, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes any value of its default's enumeration, and gives the command its member.

    Args:
        name: The option, such as `--by`.
        default: What it is where it is left out.
        help_text: What the help says of it.
    """
    kind = type(default)
    return click.option(
        name,
        type=click.Choice([choice.value for choice in kind]),
        default=default.value,
        show_default=True,
        callback=lambda _context, _option, value: kind(value),
        help=help_text,
    )
