"""Why an object was refused, such as a photograph: one type per reason, each with a code for the doors to answer."""

from typing import ClassVar

from headrace.errors import HeadraceError


class NormalizeError(HeadraceError):
    """An object or a request that is refused, whatever the transformation.

    Args:
        reason: What is wrong with it, in words for the person who asked.
    """

    code: ClassVar[str] = "NormalizeError"
    # What the doors answer; S3 Object Lambda passes on neither 413 nor 422.
    status: ClassVar[int] = 400

    def __init_subclass__(cls) -> None:
        """Each type's code is its name, without the ending that says what it is."""
        cls.code = cls.__name__.removesuffix("Error")

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadOptionError(NormalizeError):
    """An option that does not exist, or a value it cannot take."""


class EmptyBodyError(NormalizeError):
    """An object without a single byte."""


class TooManyBytesError(NormalizeError):
    """An object larger than the limit."""


class NotAPhotographError(NormalizeError):
    """Bytes that begin like no image format we know."""


class UnsupportedFormatError(NormalizeError):
    """A photograph of a kind that is not read here."""


class PhotographTooLargeError(NormalizeError):
    """A photograph that declares more pixels than the limit, or would need more memory to decode."""


class TooComplexError(NormalizeError):
    """A photograph that would take too long to decode for its size."""


class PhotographTruncatedError(NormalizeError):
    """A photograph that ends too early."""


class PhotographCorruptError(NormalizeError):
    """A photograph that its decoder gives up on."""
