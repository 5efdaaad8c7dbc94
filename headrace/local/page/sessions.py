"""Browsers that were let in.

A browser sends cookies to every port of a host, and the servers on other ports may be somebody else's. So the cookie of
each session belongs to its own path, which only that browser knows: no other server is sent it.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final

from headrace.local.page.tokens import PATH

_COOKIE: Final = "headrace"
_MOST: Final = 16
_LIFE_SECONDS: Final = 12 * 3600


def _make_secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Session:
    """One browser that was let in.

    Args:
        place: The part of its path that is its own.
        key: What its cookie says.
        form_key: What its forms say, so that no others are taken for them.
    """

    place: str = field(default_factory=_make_secret)
    key: str = field(default_factory=_make_secret, repr=False)
    form_key: str = field(default_factory=_make_secret, repr=False)

    @property
    def path(self) -> str:
        """The path that everything of this session is below."""
        return f"{PATH}{self.place}/"

    @property
    def cookie(self) -> str:
        """The header that gives the browser its cookie."""
        return f"{_COOKIE}={self.key}; Path={self.path}; Max-Age={_LIFE_SECONDS}; HttpOnly; SameSite=Strict"

    def owns_form(self, form_key: str) -> bool:
        """Whether a form is one of this session's."""
        return _is_same(form_key, self.form_key)


class Sessions:
    """The browsers that were let in since the cloud started; where there are many, the latest."""

    def __init__(self) -> None:
        self._by_place: dict[str, Session] = {}

    def open(self) -> Session:
        """Let a browser in."""
        session = Session()
        self._by_place[session.place] = session
        while len(self._by_place) > _MOST:
            del self._by_place[next(iter(self._by_place))]
        return session

    def find(self, place: str, cookies: str) -> Session | None:
        """The session of a request, by its path and its cookies."""
        session = self._by_place.get(place)
        if session is None:
            return None
        try:
            # Another server of this host may have set one of the same name for a longer or a shorter path.
            sent = [SimpleCookie(pair) for pair in cookies.split(";")]
        except CookieError:
            return None
        values = [cookie[_COOKIE].value for cookie in sent if _COOKIE in cookie]
        return session if any(_is_same(value, session.key) for value in values) else None


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
