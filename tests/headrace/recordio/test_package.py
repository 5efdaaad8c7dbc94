import doctest
import importlib
import subprocess
import sys

import pytest

from headrace import recordio


def test_exports_exactly_what_is_public() -> None:
    assert all(hasattr(recordio, name) for name in recordio.__all__)
    assert recordio.__all__ == sorted(recordio.__all__)


@pytest.mark.parametrize("name", ["images", "writing"])
def test_runs_the_examples_of_docstrings(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"headrace.recordio.{name}"))

    assert outcome.attempted
    assert not outcome.failed


def test_needs_no_more_than_numpy() -> None:
    program = "import sys, headrace.recordio; print({'boto3', 'pandas', 'scipy', 'google.protobuf'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True)

    assert done.stdout == "set()\n"
