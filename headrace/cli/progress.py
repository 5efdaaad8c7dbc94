"""Progress of long work: on standard error, and only where a person watches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

_console = Console(stderr=True, highlight=False)


@contextmanager
def step(description: str) -> Iterator[None]:
    """Show that something is being done, and how long it took once it is."""
    if not _console.is_terminal:
        yield
        return
    started = time.monotonic()
    with _console.status(description):
        yield
    _console.print(f"[green]✓[/green] {description} [dim]{time.monotonic() - started:.1f} s[/dim]")


def note(text: str) -> None:
    """Show one line of progress."""
    if _console.is_terminal:
        _console.print(f"  [dim]{escape(text)}[/dim]")
