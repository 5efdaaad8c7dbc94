"""The program's entry: `python -m containers.images.inference serve`."""

import sys
from functools import partial

from containers.shared.serving import server

main = partial(server.main, __package__)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
