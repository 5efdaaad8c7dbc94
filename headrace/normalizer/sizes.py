"""The one limit that every transformation has: the size of what it is given."""

from headrace.normalizer.errors import EmptyBodyError, TooManyBytesError


def check_size(size: int, most: int) -> None:
    """Refuse an object of this many bytes when it is empty or has more than the most.

    Raises:
        EmptyBodyError: If it has none.
        TooManyBytesError: If it has too many.
    """
    if not size:
        raise EmptyBodyError("the object is empty")
    if size > most:
        raise TooManyBytesError(f"the file has {size} bytes, more than {most}")
