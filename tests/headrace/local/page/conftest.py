"""A browser of tests, in front of the page without a network."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from headrace.local.page.application import Page
from headrace.local.page.rendering import Renderer, View
from headrace.local.page.requests import Request
from headrace.local.page.sessions import Session
from headrace.local.page.tokens import write_address

HOST = "127.0.0.1:4711"
SECRET = "of the owner"
HOSTILE = (
    "\"><img src=x onerror=alert(1)><script>alert(2)</script>' \u202egpj.exe \x00\x1b[31m\r\n{{7*7}} \ud83d javascript:"
)


@dataclass
class Seen:
    """What a browser is answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Browser:
    """Follows no redirects and runs no scripts, but keeps its cookie."""

    page: Page
    cookie: str = ""
    place: str = "/_headrace/"

    def get(self, path: str = "", **headers: str) -> Seen:
        return self.ask("GET", path, headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Seen:
        body = urlencode(fields).encode()
        return self.ask("POST", path, {"content-type": "application/x-www-form-urlencoded", **headers}, body)

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Seen:
        parts = urlsplit(path if path.startswith("/") else self.place + path)
        given = {"host": HOST, "cookie": self.cookie, **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value],
        }
        return asyncio.run(visit(self.page, scope, body))

    def log_in(self) -> "Browser":
        parts = urlsplit(write_address("", SECRET))
        entered = self.get(f"{parts.path}?{parts.query}")
        assert entered.status == 303
        self.place = entered.headers["location"]
        self.cookie = entered.headers["set-cookie"].partition(";")[0]
        return self


async def visit(page: Any, scope: dict[str, Any], body: bytes) -> Seen:
    sent: list[dict[str, Any]] = []
    parts = [body[start : start + 65_536] for start in range(0, len(body), 65_536)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await page(scope, receive, send)
    headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Seen(sent[0]["status"], headers, b"".join(message["body"] for message in sent[1:]))


class Elements(HTMLParser):
    """The elements of a page, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.texts).split())


def render(view: View, *segments: str) -> str:
    """A view as a page."""
    sections = [("overview", "Overview"), ("executions", "Executions")]
    return Renderer(sections).render(view, Request(session=Session(), segments=segments)).body.decode()


def check_is_harmless(text: str) -> Elements:
    """Nothing of what is shown has become a part of the page, or steers who reads it."""
    elements = Elements(text)
    tags = [tag for tag, _ in elements.found]
    assert tags.count("script") == 1
    assert not {"iframe", "object", "embed", "base", "foreignobject"} & set(tags)
    assert not [tag for tag, attributes in elements.found if any(name.startswith("on") for name in attributes)]
    assert not [a for _, a in elements.found for n in ("href", "src", "action") if ":" in (a.get(n) or "")[:12]]
    assert not [a for tag, a in elements.found if tag == "img" and "/_headrace/" not in (a.get("src") or "")]
    assert not [sign for sign in text if not sign.isprintable() and sign != "\n"]
    assert "49" not in elements.said or "{{7*7}}" in elements.said
    text.encode()
    return elements


@dataclass
class Services:
    """What stands for the services: answers by operation, of which those that are not there are unknown."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, service: str) -> "Services":
        return self

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**request: Any) -> Any:
            self.asked.append((operation, request))
            found = self.answers[operation]
            if isinstance(found, Exception):
                raise found
            return found(request) if callable(found) else found

        return answer

    def get_paginator(self, operation: str) -> Any:
        owner = self

        class Paginator:
            def paginate(self, **request: Any) -> list[Any]:
                request.pop("PaginationConfig", None)
                return [getattr(owner, operation)(**request)]

        return Paginator()
