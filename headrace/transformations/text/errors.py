"""Why a text was refused, beside the reasons that every transformation has."""

from headrace.normalizer.errors import NormalizeError


class TextUndecodableError(NormalizeError):
    """Bytes that are not in the encoding that they should be in."""


class NotTextError(NormalizeError):
    """Bytes that are no writing: a NUL among them, or other control characters where those are refused."""


class TextTooComplexError(NormalizeError):
    """A text that would take too long for its size: endless accents on one letter, endless nested markup."""


class TextTooLongError(NormalizeError):
    """A text of more characters or bytes than asked for."""


class TextEmptyError(NormalizeError):
    """A text of which nothing is left."""
