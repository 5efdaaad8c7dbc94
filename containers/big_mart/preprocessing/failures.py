"""Mistakes a user can correct."""


class PreprocessingError(Exception):
    """A mistake in the data or the arguments; its message says what, where and what to do."""


class ArgumentError(PreprocessingError):
    """A command-line argument that cannot be used."""


class SalesError(PreprocessingError):
    """Input files that cannot be used as they are."""
