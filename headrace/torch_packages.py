"""Where PyTorch is on this machine: in no lock, for its packages differ between machines and take up to gigabytes.

`make setup-torch` installs it into its own folder; one that the running Python can import is found, too.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Final

from headrace.checkout import CHECKOUT
from headrace.errors import HeadraceError

PACKAGE: Final = "torch"
# Where `make setup-torch` makes its environment.
FOLDER: Final = CHECKOUT / ".headrace" / PACKAGE


class TorchMissingError(HeadraceError):
    """A workload that needs PyTorch on a machine that has none."""


def find_torch(folder: Path | None = None) -> Path | None:
    """The folder of packages that PyTorch is in, for this version of Python; None where there is none.

    Args:
        folder: Where it has been set up; where `make setup-torch` does so if left out.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = (folder or FOLDER) / "lib" / version / "site-packages"
    if (packages / PACKAGE / "__init__.py").is_file():
        return packages.resolve()
    found = importlib.util.find_spec(PACKAGE)
    return Path(found.origin).parents[1] if found and found.origin else None


def require_torch(what: str) -> Path:
    """The folder of packages that PyTorch is in.

    Args:
        what: What needs it.

    Raises:
        TorchMissingError: If there is none.
    """
    packages = find_torch()
    if packages is None:
        raise TorchMissingError(
            f"{what} needs PyTorch, which is not installed with everything else, because it takes up to gigabytes; "
            "run 'make setup-torch'"
        )
    return packages
