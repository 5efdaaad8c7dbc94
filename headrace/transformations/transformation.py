"""What a transformation says of itself; its code stands beside it, and only what transforms loads that."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol

from headrace.normalizer.option_fields import parse_fields

# A transformation is this folder's child of its name: `__init__.py` describes it, and `transform.py` does it.
PACKAGE: Final = "headrace.transformations"


class Transform(Protocol):
    """The code of a transformation: a pure function, which knows nothing of AWS."""

    def __call__(self, data: bytes, options: Any, /) -> bytes:
        """An object's bytes, transformed as the options ask for.

        The same bytes and options always give the same result.

        Raises:
            NormalizeError: What is wrong with the bytes, as one of its subclasses.
        """


class Transformation(NamedTuple):
    """What the doors and the infrastructure know of a transformation without its packages.

    Args:
        name: That of its folder: lower-case letters and digits.
        generation: A new number, for code that transforms otherwise, leaves what earlier code has made unused.
        options: A frozen dataclass whose fields all have defaults, and are numbers, truths, texts or choices
            (`StrEnum`); what it refuses, it refuses as a `BadOptionError`.
        raw_prefix: Where its objects are in the raw bucket.
        most_bytes: The largest object that is read.
        memory_mib: The memory of a function that transforms one object at a time.
        media_type: What a `Content-Type` header calls the result.
        suffix: What the names of results end with, after the dot.
    """

    name: str
    generation: int
    options: type[Any]
    raw_prefix: str
    most_bytes: int
    memory_mib: int
    media_type: Callable[[Any], str]
    suffix: Callable[[Any], str]

    def parse_options(self, parameters: Mapping[str, str]) -> Any:
        """The options in a mapping of strings, such as a URL's query parameters; what is left out has its default.

        Raises:
            BadOptionError: An option that does not exist, or a value it cannot take.
        """
        return parse_fields(self.options, parameters)

    def load(self) -> Transform:
        """Its code, which needs its packages."""
        transform: Transform = import_module(f"{PACKAGE}.{self.name}.transform").transform
        return transform
