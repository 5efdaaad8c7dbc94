"""The page as an ASGI application: who is let in, what is asked of which section, and how answers leave."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import BotoCoreError, ClientError

from headrace.errors import HeadraceError
from headrace.local.page.answers import PLAIN, SCRIPT, STYLE, Answer, PageError, list_headers, redirect
from headrace.local.page.forms import Form, read_form
from headrace.local.page.rendering import Renderer, View
from headrace.local.page.requests import Request
from headrace.local.page.section import Section
from headrace.local.page.sessions import Session, Sessions
from headrace.local.page.tokens import PARAMETER, PATH, Tokens

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Mapping[str, str]

# What an endpoint takes, and the form around it.
_MOST_BYTES: Final = 7 << 20
# The services that the page asks have threads of their own; so many requests to them wait at once.
_THREADS: Final = 4
_STATIC: Final = {STYLE: ("page.css", "text/css; charset=utf-8"), SCRIPT: ("page.js", "text/javascript; charset=utf-8")}
_CLOSED: Final = "This page opens with an address that is good once, for ten minutes."
_SPENT: Final = "This address was used before, is older than ten minutes, or is of an earlier start of the local cloud."

logger = logging.getLogger(__name__)


class Page:
    """Serves the page to the owner of the local cloud.

    Args:
        sections: Its parts; the first is what a browser sees first.
        tokens: What lets a browser in.
    """

    def __init__(self, sections: Sequence[Section], tokens: Tokens) -> None:
        self._sections = {section.name: section for section in sections}
        self._tokens = tokens
        self._sessions = Sessions()
        self._renderer = Renderer([(section.name, section.title) for section in sections])
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="page")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, whose host and origin are known to be this machine's."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _read_body(receive)
        answer = await self._answer(scope, headers, body)
        await _send(send, answer, headers.get("host", ""), is_bare=scope["method"] == "HEAD")

    async def _answer(self, scope: Message, headers: Headers, body: bytes | None) -> Answer:
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return Answer(b"only GET, HEAD and POST are served here\n", PLAIN, 405, {"allow": "GET, HEAD, POST"})
        if is_of_another_port(scope["method"], headers):
            return self._renderer.render_closed("This page takes nothing from servers on other ports.", 403)
        if path in _STATIC:
            name, media_type = _STATIC[path]
            return Answer(files(__package__).joinpath("static", name).read_bytes(), media_type)
        place, *segments = path.removeprefix(PATH).split("/")
        session = self._sessions.find(unquote(place), headers.get("cookie", ""))
        if session is None:
            return self._let_in(path, query)
        request = Request(session=session, segments=tuple(filter(None, map(unquote, segments))), query=query)
        return await self._answer_session(request, scope["method"], headers, body)

    def _let_in(self, path: str, query: Mapping[str, str]) -> Answer:
        token = query.get(PARAMETER, "")
        if path != PATH or not token:
            return self._renderer.render_closed(_CLOSED, 401)
        if not self._tokens.redeem(token):
            return self._renderer.render_closed(_SPENT, 401)
        session = self._sessions.open()
        return redirect(session.path, **{"set-cookie": session.cookie})

    async def _answer_session(self, request: Request, method: str, headers: Headers, body: bytes | None) -> Answer:
        try:
            if method == "POST":
                form = _read_own_form(request.session, headers, body)
                request = Request(session=request.session, segments=request.segments, query=request.query, form=form)
            section = self._find_section(request)
            work = asyncio.get_running_loop().run_in_executor(self._threads, section.answer, request)
            answer = await work
        except PageError as error:
            answer = _explain(error.message, error.status)
        except ClientError as error:
            answer = _explain(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}", 502)
        except (BotoCoreError, HeadraceError) as error:
            answer = _explain(str(error), 502)
        except Exception:
            logger.exception("page_failed path=%s", "/".join(request.segments))
            answer = _explain("The page has failed; the local cloud's log says why.", 500)
        return self._renderer.render(answer, request) if isinstance(answer, View) else answer

    def _find_section(self, request: Request) -> Section:
        name = request.segments[0] if request.segments else next(iter(self._sections))
        if name not in self._sections:
            raise PageError(404, f"there is no section {name!r}")
        return self._sections[name]


def is_of_another_port(method: str, headers: Headers) -> bool:
    """Whether a page of another server of this host asks; the cookies of both are one site's.

    A link that somebody follows is let through: its target shows itself, and changes nothing.
    """
    is_followed = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
    return headers.get("sec-fetch-site") == "same-site" and not is_followed


def _read_own_form(session: Session, headers: Headers, body: bytes | None) -> Form:
    if body is None:
        raise PageError(413, f"more than {_MOST_BYTES >> 20} MiB are not taken; an endpoint takes 6 MiB")
    form = read_form(headers.get("content-type", ""), body)
    if not session.owns_form(form.text("form_key")):
        raise PageError(403, "the form is not of this session; load the page again and send it from there")
    return form


def _explain(message: str, status: int) -> View:
    return View("error.html", "Not possible", {"message": message}, status=status)


async def _read_body(receive: Receive) -> bytes | None:
    """A request's body; None where it is too large, once it has been read: a sender must see the answer."""
    parts: list[bytes] = []
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message.get("body", b""))
        if size <= _MOST_BYTES:
            parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts) if size <= _MOST_BYTES else None


async def _send(send: Send, answer: Answer, host: str, *, is_bare: bool) -> None:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in list_headers(answer, host).items()]
    pairs.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if is_bare else answer.body, "more_body": False})
