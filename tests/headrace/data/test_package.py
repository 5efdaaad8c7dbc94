"""The package as a whole."""

import doctest
import importlib

import pytest

from headrace import data


def test_exports_exactly_what_is_public() -> None:
    assert all(hasattr(data, name) for name in data.__all__)
    assert data.__all__ == sorted(data.__all__)


@pytest.mark.parametrize("name", ["addresses", "checksums", "frameworks"])
def test_runs_the_examples_of_docstrings(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"headrace.data.{name}"))

    assert outcome.attempted
    assert not outcome.failed
