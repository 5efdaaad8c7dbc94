"""The program's entry: `python -m inference serve`."""

import sys
from collections.abc import Sequence

from containers.shared import serving


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop, and return the exit code."""
    return serving.main(__package__, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
