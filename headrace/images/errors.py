"""Normalized images that cannot be had."""

from headrace.errors import HeadraceError


class NormalizedImageError(HeadraceError):
    """A normalized image that did not come.

    Args:
        key: The photograph.
        code: The reason's name: S3's, or one of the normalizer's.
        reason: What is wrong, in words.
    """

    def __init__(self, key: str, code: str, reason: str) -> None:
        super().__init__(f"{key}: {code}: {reason}")
        self.key = key
        self.code = code
        self.reason = reason


class NormalizedImageRefusedError(NormalizedImageError):
    """A key without a photograph, one that is forbidden, or invalid options: asking again does not help."""


class NormalizedImageUnavailableError(NormalizedImageError):
    """A normalized image that may come when asked for again."""


class NormalizedImageThrottledError(NormalizedImageUnavailableError):
    """A normalized image that was not made, because too many were asked for at once."""
