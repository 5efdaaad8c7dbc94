"""The names that the function shares with the infrastructure are those that AWS takes, and cost nothing to import."""

import subprocess
import sys

import pytest

from lambdas.image_normalizer import contract
from tests.conftest import PROJECT


@pytest.mark.parametrize("variable", contract.Variable)
def test_names_variables_that_lambda_allows(variable: str) -> None:
    assert variable.isupper()
    assert not variable.startswith(("AWS_", "LAMBDA_"))


def test_needs_the_standard_library_only() -> None:
    program = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import lambdas.image_normalizer.contract"

    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_leaves_room_for_an_answers_envelope() -> None:
    assert contract.MAX_INLINE_BYTES * 4 / 3 < 6_291_556 - 100_000
