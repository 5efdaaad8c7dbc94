"""Reading a job's command line so that nothing of it is passed over in silence."""

import argparse
from collections.abc import Sequence
from typing import Any, Final, NoReturn

# More than any generator of random numbers takes in, and fewer than Python reads.
_LONGEST_SEED: Final = 1000
_SHOWN: Final = 100


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


def parse_ratio(argument: str, text: str, mistake: type[Exception]) -> float:
    """A ratio strictly between 0 and 1.

    Args:
        argument: The argument's name, for messages.
        text: Its value.
        mistake: What to raise.
    """
    try:
        ratio = float(text)
    except ValueError:
        ratio = float("nan")
    if not 0 < ratio < 1:
        raise mistake(f"{argument}: {text!r} is not a number between 0 and 1, such as 0.1")
    return ratio


def parse_seed(argument: str, text: str, mistake: type[Exception]) -> int:
    """A whole number that is not negative; the arguments are those of `parse_ratio`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_SEED):
        raise mistake(f"{argument}: {text[:_SHOWN]!r} is not a whole number from 0 on, such as 42")
    return int(text)


def parse_count(argument: str, text: str, most: int, mistake: type[Exception]) -> int:
    """A whole number from 1 up to `most`; the other arguments are those of `parse_ratio`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise mistake(f"{argument}: {text[:_SHOWN]!r} is not a whole number from 1 to {most}, such as {min(most, 3)}")
    return int(text)
