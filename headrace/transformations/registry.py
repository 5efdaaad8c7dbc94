"""The transformations that there are: one line for each."""

from importlib import import_module
from typing import Final

from headrace.errors import HeadraceError
from headrace.normalizer.contract import DEFAULT_TRANSFORMATION
from headrace.transformations.transformation import PACKAGE, Transformation

NAMES: Final = (
    DEFAULT_TRANSFORMATION,
    "text",
)  # fmt: skip


class UnknownTransformationError(HeadraceError):
    """A name that no transformation has."""


def find_transformation(name: str) -> Transformation:
    """The transformation of a name.

    Raises:
        UnknownTransformationError: If there is none.
    """
    if name not in NAMES:
        raise UnknownTransformationError(f"there is no transformation {name!r}; there are {', '.join(NAMES)}")
    transformation: Transformation = import_module(f"{PACKAGE}.{name}").TRANSFORMATION
    return transformation
