"""Why an image was not normalized: one type per reason, each with a code for the doors to answer with."""

from typing import ClassVar


class NormalizeError(Exception):
    """An image or a request that is refused.

    Args:
        reason: What is wrong with it, in words for the person who asked.
    """

    code: ClassVar[str] = "NormalizeError"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadOptionError(NormalizeError):
    """An option that does not exist, or a value it cannot take."""

    code = "BadOption"


class EmptyBodyError(NormalizeError):
    """An object without a single byte."""

    code = "EmptyBody"


class TooManyBytesError(NormalizeError):
    """An object larger than the limit."""

    code = "TooManyBytes"


class NotAnImageError(NormalizeError):
    """Bytes that begin like no image format we know."""

    code = "NotAnImage"


class UnsupportedFormatError(NormalizeError):
    """An image of a kind that is not read here."""

    code = "UnsupportedFormat"


class ImageTooLargeError(NormalizeError):
    """An image that declares more pixels than the limit, or would need more memory to decode."""

    code = "ImageTooLarge"


class TooComplexError(NormalizeError):
    """An image that would take too long to decode for its size."""

    code = "TooComplex"


class ImageTruncatedError(NormalizeError):
    """An image that ends too early."""

    code = "ImageTruncated"


class ImageCorruptError(NormalizeError):
    """An image that its decoder gives up on."""

    code = "ImageCorrupt"
