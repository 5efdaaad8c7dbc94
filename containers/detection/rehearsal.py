"""The program that asks a model golden requests: `python -m containers.detection.rehearsal`."""

import sys
from functools import partial

from containers.shared.serving import rehearsal

main = partial(rehearsal.main, __package__)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
