"""The program's entry: `python -m containers.images.training train`."""

import sys

from containers.shared.job.saving_entry import Main, Train, run


def load() -> Train:
    """The training steps."""
    from .program import train

    return train


main = Main(load)

if __name__ == "__main__":
    sys.exit(run(main))
