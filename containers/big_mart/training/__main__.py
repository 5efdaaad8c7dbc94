"""The program's entry: `python -m containers.big_mart.training train`."""

import sys

from containers.shared.job.saving_entry import Train, make_main, run


def load() -> Train:
    """The training steps."""
    from .program import train

    return train


main = make_main(load)

if __name__ == "__main__":
    sys.exit(run(main))
