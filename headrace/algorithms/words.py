"""What our own program can do of the built-in BlazingText; standard library only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

# What the file of a model has room for, in fastText's format.
_MOST: Final = 2**31 - 1
MOST_DIMENSIONS: Final = 10_000
_COUNTS: Final[Mapping[str, int]] = {
    "buckets": _MOST,
    "epochs": _MOST,
    "max_char": _MOST,
    "min_char": _MOST,
    "min_count": _MOST,
    "negative_samples": _MOST,
    "vector_dim": MOST_DIMENSIONS,
    "window_size": _MOST,
    "word_ngrams": _MOST,
}


def list_own_mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """What of the algorithm's own hyperparameters our program cannot do, each beginning with the name of one.

    Args:
        given: Those that the algorithm takes.
    """
    for name, most in _COUNTS.items():
        if name in given and int(given[name]) > most:
            yield f"{name}: found {given[name]}, and our own program has up to {most}"
    shortest, longest = int(given.get("min_char", 3)), int(given.get("max_char", 6))
    if shortest > longest:
        yield f"min_char: {shortest}, but max_char is {longest}; make it {longest} or less"
