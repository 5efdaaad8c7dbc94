"""What the page asks of a request, and what it answers: always with the headers that keep other pages out."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.local.page.tokens import PATH
from headrace.pipeline.style import render_style

HTML: Final = "text/html; charset=utf-8"
PLAIN: Final = "text/plain; charset=utf-8"
SCRIPT: Final = f"{PATH}page.js"
STYLE: Final = f"{PATH}page.css"

# Drawings bring a style sheet of their own; no other one in a page is let through.
_STYLE_OF_DRAWINGS: Final = base64.b64encode(hashlib.sha256(render_style().encode()).digest()).decode()


class PageError(Exception):
    """A request that cannot be answered as it was meant; the message is for the person in front of the page.

    Args:
        status: The status of HTTP.
        message: What is wrong, and what to do.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Answer:
    """An answer to a browser.

    Args:
        body: What it shows.
        media_type: Of which type that is.
        status: The status of HTTP.
        headers: What else to say.
    """

    body: bytes
    media_type: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def redirect(path: str, **headers: str) -> Answer:
    """Lead a browser to another path of the page."""
    return Answer(b"", PLAIN, 303, {"location": path, **headers})


def list_headers(answer: Answer, host: str) -> dict[str, str]:
    """All headers of an answer.

    Args:
        answer: The answer.
        host: The host that the browser names, which must have been checked.
    """
    return {
        "content-type": answer.media_type,
        "content-security-policy": write_policy(host),
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        # With less, browsers send forms from the origin `null`, as those of strangers.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        **answer.headers,
    }


def write_policy(host: str) -> str:
    """The content security policy: one script and one style sheet, and nothing from or to anywhere else.

    It names paths, because below others of the same host there are objects that anybody may have written.
    """
    place = f"http://{host}"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {place}{SCRIPT}",
            f"style-src {place}{STYLE} 'sha256-{_STYLE_OF_DRAWINGS}'",
            f"img-src {place}{PATH}",
            f"connect-src {place}{PATH}",
            f"form-action {place}{PATH}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
