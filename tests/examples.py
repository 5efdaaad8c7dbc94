"""How many examples a property is tried with: the verb that runs the tests says so, in one word."""

import os

import pytest

# Few in `make test-fast`, some in `make test`, many in `make test-all`; some by default.
TIMES = {"few": 0.2, "some": 1.0, "many": 4.0}[os.environ.get("HEADRACE_EXAMPLES", "some")]

# Whether to repeat one mechanism for every place where it is used, and for as long as a release deserves.
IS_EXHAUSTIVE = TIMES > 1


def count_examples(some: int = 100) -> int:
    """As many examples as this ring of tests takes instead of some."""
    return max(1, round(some * TIMES))


def only_exhaustive(reason: str) -> pytest.MarkDecorator:
    """What only `make test-all` runs; the reason says what `make test` has in its place."""
    return pytest.mark.skipif(not IS_EXHAUSTIVE, reason=f"{reason}: make test-all")
