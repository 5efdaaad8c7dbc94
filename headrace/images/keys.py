"""Keys that a door could only ask for by asking for something else are refused."""

from typing import Final

from headrace.images.errors import NormalizedImageRefusedError

BAD_KEY: Final = "BadKey"
_DOTS: Final = frozenset({".", ".."})


def check_key(key: str) -> None:
    """Refuse what S3 has for no key.

    Raises:
        NormalizedImageRefusedError: If it is empty or no text.
    """
    if not key:
        raise NormalizedImageRefusedError(key, BAD_KEY, "the key is empty")
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise NormalizedImageRefusedError(ascii(key), BAD_KEY, "the key has half of a surrogate pair") from error


def check_url_key(key: str) -> None:
    """Refuse a key that no address leads to: on the way, dots are resolved and slashes at the front are dropped.

    Raises:
        NormalizedImageRefusedError: If it is such a key.
    """
    check_key(key)
    if key.startswith("/") or _DOTS.intersection(key.split("/")):
        raise NormalizedImageRefusedError(
            key, BAD_KEY, "no URL leads to a key that begins with '/' or has a part '.' or '..'"
        )


def check_file_key(key: str) -> None:
    """Refuse a key that is not a path below a folder.

    Raises:
        NormalizedImageRefusedError: If it is such a key.
    """
    check_key(key)
    if "\0" in key or {"", *_DOTS}.intersection(key.split("/")):
        raise NormalizedImageRefusedError(
            key, BAD_KEY, "no file of a folder has a key with an empty part, '.', '..' or a NUL"
        )
