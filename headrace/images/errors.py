"""Images that cannot be had."""

from headrace.errors import HeadraceError


class ImageError(HeadraceError):
    """An image that did not come.

    Args:
        key: The image.
        code: The reason's name: S3's, or one of the normalizer's.
        reason: What is wrong, in words.
    """

    def __init__(self, key: str, code: str, reason: str) -> None:
        super().__init__(f"{key}: {code}: {reason}")
        self.key = key
        self.code = code
        self.reason = reason


class ImageRefusedError(ImageError):
    """An image that is missing, forbidden or no image, or options that do not exist: asking again does not help."""


class ImageUnavailableError(ImageError):
    """An image that may come when asked for again."""
