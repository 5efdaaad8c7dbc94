"""The checkout that the library was imported from; a wheel has none."""

from pathlib import Path
from typing import Final

from headrace.errors import HeadraceError

CHECKOUT: Final = Path(__file__).resolve().parents[1]


class NoCheckoutError(HeadraceError):
    """What is asked for needs files that only the checkout has."""


def require_checkout(command: str) -> None:
    """Refuse a command that reads the stacks or the containers where there are none.

    Raises:
        NoCheckoutError: If the library was not imported from a checkout.
    """
    if not (CHECKOUT / "cdk.json").is_file():
        raise NoCheckoutError(
            f"'{command}' needs the checkout, with its containers/ and stacks/; this headrace was installed without: "
            "clone its repository and run make setup there"
        )
