"""A request to the page, once it is known whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from headrace.local.page.forms import Form
from headrace.local.page.sessions import Session


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request of a browser that was let in.

    Args:
        session: Whose it is.
        segments: The parts of its path below the session's, decoded.
        query: What follows in its address; of a repeated name the last.
        form: What it sends, if it sends a form.
    """

    session: Session
    segments: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    form: Form | None = None

    def link(self, *segments: str, **query: object) -> str:
        """The path of another view of this session.

        Args:
            segments: Its parts.
            query: What follows; what is empty is left out.
        """
        path = self.session.path + "/".join(quote(segment, safe="", errors="replace") for segment in segments)
        given = {name: str(value) for name, value in query.items() if value not in ("", None)}
        return f"{path}?{urlencode(given, errors='replace')}" if given else path
