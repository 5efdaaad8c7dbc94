"""The program's entry: `python -m containers.resnet train`, or `serve`."""

import os
import sys

from containers.shared import sagemaker
from containers.shared.job.saving_entry import Main, Train, run
from containers.shared.serving import server


def load() -> Train:
    """The training steps."""
    # Read when PyTorch is imported: threads that wait in a loop take the processors from those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from .program import train

    return train


main = Main(load)

if __name__ == "__main__":
    if sys.argv[1:] == [sagemaker.SERVE_COMMAND]:
        sys.exit(server.main(__package__, sys.argv[1:]))
    sys.exit(run(main))
