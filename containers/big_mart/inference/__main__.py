"""The program's entry: `python -m containers.big_mart.inference serve`."""

import sys
from collections.abc import Sequence

from containers.shared.serving import server


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop, and return the exit code."""
    return server.main(__package__, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
