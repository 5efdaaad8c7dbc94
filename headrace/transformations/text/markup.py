"""HTML into the words that a browser would show; the parser is ammonia's, which browsers' own rules guide.

What is left of the markup after it are the few elements that end a line, without attributes, and every `<` of the
text is written as an entity: what follows needs no parser any more.
"""

import re
from typing import Final

from headrace.transformations.text.markup_cost import check_cost

_LINES: Final = frozenset(
    {"address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "dialog", "div", "dl"}
    | {"dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"}
    | {"hgroup", "hr", "legend", "li", "main", "menu", "nav", "ol", "option", "p", "pre", "search", "section"}
    | {"summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul"}
)
_CELLS: Final = frozenset({"td", "th"})
_PRE: Final = "pre"
# What browsers do not show, and a reader would take for nonsense.
_HIDDEN: Final = frozenset({"iframe", "noembed", "noframes", "noscript", "object", "script", "style", "template"})
_TAG: Final = re.compile(r"<(/?)([a-z0-9]+)>")
# All that the parser writes; the last one makes no new ones of them.
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&nbsp;": "\xa0", "&amp;": "&"}
_BLANKS: Final = re.compile(r"[ \t\n\f\r]+")


def remove_markup(document: str) -> str:
    """The words of an HTML document, a line for each block of it.

    Raises:
        TextTooComplexError: If it might take too long.
    """
    check_cost(document)
    # Only who asks for it needs the package.
    import nh3

    kept = nh3.clean(
        document,
        tags={*_LINES, *_CELLS},
        # Else it keeps some that any element may have.
        attributes={"*": set()},
        clean_content_tags=set(_HIDDEN),
        link_rel=None,
        strip_comments=True,
    )
    text = "".join(_write(kept))
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text


def _write(kept: str) -> list[str]:
    """The pieces of a text, white space as browsers show it: as it is within `pre`, one blank for any elsewhere."""
    written: list[str] = []
    start = depth = 0
    for tag in _TAG.finditer(kept):
        piece = kept[start : tag.start()]
        written.append(piece if depth else _BLANKS.sub(" ", piece))
        start = tag.end()
        is_end, name = bool(tag[1]), tag[2]
        if name == _PRE:
            depth += -1 if is_end else 1
        if name in _CELLS:
            written.append("" if is_end else "\t")
        else:
            written.append("\n")
    written.append(_BLANKS.sub(" ", kept[start:]))
    return written
