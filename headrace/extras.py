"""The packages that only some of the library needs, and how to install them."""

from importlib.util import find_spec

from headrace.errors import HeadraceError


class MissingExtraError(HeadraceError):
    """A package of an extra is not installed."""


def require_extra(package: str, extra: str) -> None:
    """Refuse what cannot work without a package of an extra.

    Raises:
        MissingExtraError: Saying how to install it.
    """
    if find_spec(package) is None:
        raise MissingExtraError(explain_missing(package, extra))


def explain_missing(package: str, extra: str) -> str:
    """What to say when a package of an extra is not installed.

    The name `headrace` on a package index is not known to be ours, so no message says to install it from there.
    """
    return (
        f"{package} is missing; it comes with the extra '{extra}': run pip install '.[{extra}]' in the checkout, "
        f"or pip install 'headrace[{extra}] @ git+ADDRESS' with its Git address"
    )
