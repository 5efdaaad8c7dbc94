"""Addresses that let a browser in once; who has the local cloud's key makes them, and its server knows them again."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

PATH: Final = "/_headrace/"
PARAMETER: Final = "token"
# Long enough to copy an address from a terminal; in a log that is read later it opens nothing.
LIFE_SECONDS: Final = 600
_PURPOSE: Final = b"headrace page"


def write_address(endpoint_url: str, secret: str, now: float | None = None) -> str:
    """The address of the page, with a token that lets in once.

    Args:
        endpoint_url: Where the local cloud listens.
        secret: That of its owner's key.
        now: The time, in seconds since 1970; by default, what the clock says.
    """
    expires = int((time.time() if now is None else now) + LIFE_SECONDS)
    signed = f"{expires}.{secrets.token_urlsafe(16)}"
    return f"{endpoint_url}{PATH}?{PARAMETER}={signed}.{_sign(signed, secret)}"


class Tokens:
    """The tokens that a server takes, each of them once.

    Args:
        secret: That of the owner's key.
        clock: The time, in seconds since 1970.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock
        self._used: dict[str, int] = {}

    def redeem(self, token: str) -> bool:
        """Whether a token lets in; from then on it does not."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), _sign(signed, self._secret).encode()):
            return False
        expires, now = int(signed.partition(".")[0]), self._clock()
        self._used = {used: end for used, end in self._used.items() if end > now}
        if expires <= now or signed in self._used:
            return False
        self._used[signed] = expires
        return True


def _sign(signed: str, secret: str) -> str:
    key = hmac.digest(secret.encode(), _PURPOSE, "sha256")
    digest = hmac.digest(key, signed.encode(errors="surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
