"""Commands that only work in the checkout; their help works everywhere."""

from typing import Any

import click

from headrace.checkout import require_checkout
from headrace.extras import require_extra


class CheckoutCommand(click.Command):
    """A command that needs the checkout."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, unless something it needs is missing."""
        self._check_needs(ctx.command_path)
        return super().invoke(ctx)

    def _check_needs(self, name: str) -> None:
        require_checkout(name)


class LocalCommand(CheckoutCommand):
    """A command that needs the local cloud's engine, too."""

    def _check_needs(self, name: str) -> None:
        super()._check_needs(name)
        require_extra("ministack", "local")


class CheckoutGroup(click.Group):
    """Commands that need the checkout."""

    command_class = CheckoutCommand


class LocalGroup(click.Group):
    """The commands of the local cloud."""

    command_class = LocalCommand
