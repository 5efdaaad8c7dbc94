"""The media types of bodies and answers: what a caller sends, and what it takes."""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import NamedTuple

from containers.shared.serving.accept_headers import Wish, parse_accept
from containers.shared.serving.messages import RequestError

# Callers have few content types each; the bound keeps those who make them up from filling memory.
KNOWN = 64


class ContentType(NamedTuple):
    """A body's media type, and the parameters that came with it."""

    media_type: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=KNOWN)
def parse_content_type(text: str, reads: tuple[str, ...]) -> ContentType:
    """The content type, refused if it is not one of those that can be read."""
    message = Message()
    message["content-type"] = text
    if not text or message.get_content_type() not in reads:
        raise RequestError(415, f"cannot read content type {text!r}; accepted are {', '.join(reads)}")
    _, *parameters = message.get_params(failobj=[("", "")])
    # The first of a name counts.
    return ContentType(message.get_content_type(), {name.lower(): str(value) for name, value in reversed(parameters)})


@lru_cache(maxsize=KNOWN)
def choose_media_type(accept: str, writes: tuple[str, ...]) -> str:
    """The answer's media type that the caller likes best; the first where it does not matter."""
    wishes = sorted(parse_accept(accept), key=lambda wish: -wish.quality)
    for pattern, quality in wishes or [Wish("*/*", 1.0)]:
        for media_type in writes:
            if quality > 0 and matches(pattern, media_type):
                return media_type
    accepted = f"accepted {'is' if len(writes) == 1 else 'are'} {', '.join(writes)}"
    raise RequestError(406, f"cannot answer as {accept!r}; {accepted}")


def matches(pattern: str, media_type: str) -> bool:
    """True when the pattern, such as `text/*`, covers the media type."""
    return pattern in ("*/*", media_type, media_type.split("/")[0] + "/*")
