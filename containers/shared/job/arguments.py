"""Reading a job's command line so that nothing of it is passed over in silence."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn


class ArgumentParser(argparse.ArgumentParser):
    """A parser that takes each argument once and by its full name, and raises instead of ending the process.

    Args:
        mistake: What to raise.
    """

    def __init__(self, *, mistake: type[Exception], **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.mistake = mistake
        self.register("action", None, StoreOnce)

    def error(self, message: str) -> NoReturn:
        """Raise the mistake."""
        raise self.mistake(f"{message}; see --help")


class StoreOnce(argparse.Action):
    """Stores a value, and refuses another one, which would take its place."""

    was_given = False

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option_string: str | None = None,
    ) -> None:
        """Store the value."""
        if self.was_given:
            raise argparse.ArgumentError(self, "given more than once")
        self.was_given = True
        setattr(namespace, self.dest, values)
