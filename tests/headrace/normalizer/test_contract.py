"""The names that the doors, their clients and the infrastructure share."""

import subprocess
import sys

from headrace.normalizer import contract
from tests.conftest import PROJECT


def test_names_an_output_per_consumer() -> None:
    assert contract.object_lambda_output("labelling-team") == "NormalizerAliasLabellingTeam"


def test_needs_the_standard_library_only() -> None:
    program = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import headrace.normalizer.contract"

    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
