"""Forms as browsers send them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from headrace.local.page.answers import PageError

_MOST_FIELDS: Final = 50
_PARAMETER: Final = re.compile(rb'[;\s](?P<name>name|filename)="(?P<value>[^"\r\n]*)"')
_BOUNDARY: Final = re.compile(r'multipart/form-data;.*boundary="?(?P<boundary>[0-9A-Za-z\'()+_,./:=?-]{1,70})"?')


@dataclass(frozen=True)
class Form:
    """What a browser sends of a form.

    Args:
        fields: Its texts, by the names of their fields.
        files: The contents of its files; a field without a file is empty.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field's text, or nothing."""
        return self.fields.get(name, "")


def read_form(content_type: str, body: bytes) -> Form:
    """The form in a request.

    Args:
        content_type: The request's, with the boundary of its parts.
        body: Its body.

    Raises:
        PageError: If it is not one.
    """
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return Form(_read_fields(body))
    boundary = _BOUNDARY.fullmatch(content_type)
    if boundary is None:
        raise PageError(415, f"a form of the type {content_type!r} is not understood")
    return _read_parts(body, boundary["boundary"].encode())


def _read_fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError as error:
        raise PageError(400, f"the form cannot be read: {error}") from None
    return dict(pairs)


def _read_parts(body: bytes, boundary: bytes) -> Form:
    # Every part begins after a line's end but the first, which has none before it.
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(parts) < 2 or not parts[-1].startswith(b"--") or len(parts) > _MOST_FIELDS:
        raise PageError(400, "the form is not whole")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in parts[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        parameters = {found["name"]: found["value"] for found in _PARAMETER.finditer(head)}
        name = parameters.get(b"name", b"").decode(errors="replace")
        if b"filename" in parameters:
            files[name] = content
        else:
            fields[name] = content.decode(errors="replace")
    return Form(fields, files)
