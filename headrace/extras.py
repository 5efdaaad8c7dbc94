"""The packages that only some of the library needs, and how to install them."""


def explain_missing(package: str, extra: str) -> str:
    """What to say when a package of an extra is not installed.

    The name `headrace` on a package index is not known to be ours, so nobody is told to install it from there.
    """
    return f"{package} is missing; it comes with the extra '{extra}': in the checkout, run pip install '.[{extra}]'"
