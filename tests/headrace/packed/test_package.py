"""The package as others see it."""

import doctest
import importlib
import subprocess
import sys

import pytest

from headrace import packed


def test_exports_exactly_what_is_public() -> None:
    assert all(hasattr(packed, name) for name in packed.__all__)
    assert packed.__all__ == sorted(packed.__all__)


@pytest.mark.parametrize("name", ["order", "writing"])
def test_runs_the_examples_of_docstrings(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"headrace.packed.{name}"))

    assert outcome.attempted
    assert not outcome.failed


def test_reads_with_numpy_alone() -> None:
    program = "import sys, headrace.packed.reading; print({'boto3', 'torch'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True)

    assert done.stdout == "set()\n"
