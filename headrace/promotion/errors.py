"""Why a version is not promoted."""

from headrace.errors import HeadraceError


class PromotionError(HeadraceError):
    """A version that cannot go to another environment, or has not arrived there as it was."""
