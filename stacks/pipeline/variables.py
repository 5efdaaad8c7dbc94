"""Which variables a state's JSONata reads, and whether they have been written by then.

Step Functions finds a variable that was not written only when it is read, hours after the start and many states later.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from jsonata.jsonata import Jsonata
from jsonata.parser import Parser

from stacks.pipeline.asl import DefinitionError, State, read_jsonata
from stacks.pipeline.maps import Map

# There in every state: the context of an expression, Step Functions' own variable, and functions passed by name.
_GIVEN: Final = frozenset({"", "$", "states", *Jsonata.static_frame.bindings})
# Attributes of the parser's that lead back up its tree.
_UPWARD: Final = ("ancestor", "slot")
# What the CDK fills in later, in a text; its number is another one in every state.
_TOKEN: Final = re.compile(r"\$\{Token\[[^]]*\]\}")


def check_variables(states: Mapping[str, State], *, start_at: str, given: frozenset[str] = frozenset()) -> None:
    """Refuse a state that reads a variable which not every way to it has written.

    Args:
        states: The states.
        start_at: The first of them.
        given: What has been written before that.

    Raises:
        DefinitionError: Naming the state and the variable.
    """
    for name, written in _find_written(states, start_at, given).items():
        state = states[name]
        rendered = state.render_itself() if isinstance(state, Map) else state.render()
        for variable in sorted(find_variables(rendered) - written):
            raise DefinitionError(f"state '{name}' reads ${variable}, which not every way to it has written")
        if isinstance(state, Map):
            readable = frozenset(written) if state.reads_outside else frozenset[str]()
            check_variables(state.states, start_at=state.start_at, given=readable)


def find_variables(rendered: Any) -> set[str]:
    """The variables that the JSONata in a state's JSON reads.

    Example:
        >>> sorted(find_variables({"Output": "{% ( $n := $job & 'x'; $n & $string($states.input) & $way ) %}"}))
        ['job', 'way']
    """
    if isinstance(rendered, Mapping):
        rendered = list(rendered.values())
    if isinstance(rendered, list):
        return {variable for part in rendered for variable in find_variables(part)}
    expression = read_jsonata(rendered)
    return {*_find_variables_of(_TOKEN.sub("token", expression))} if expression else set()


# States share expressions and workloads share states, so most expressions come again; parsing is a third of synthesis.
@cache
def _find_variables_of(expression: str) -> frozenset[str]:
    return frozenset(_find_free(Jsonata.jsonata(expression).ast, _GIVEN))


def _find_written(states: Mapping[str, State], start_at: str, given: frozenset[str]) -> dict[str, set[str]]:
    """What has been written for certain before each state that can be reached."""
    written: dict[str, set[str]] = {start_at: set(given)}
    waiting = [start_at]
    while waiting:
        name = waiting.pop()
        for way in (way for way in states[name].ways() if not way.is_return):
            by_now = written[name] | way.assign.keys()
            certain = written[way.next] & by_now if way.next in written else by_now
            if way.next in states and certain != written.get(way.next):
                written[way.next] = certain
                waiting.append(way.next)
    return written


def _find_free(node: Any, bound: frozenset[str]) -> Iterator[str]:
    """The variables that a syntax tree reads and does not bind itself."""
    if isinstance(node, list | tuple):
        for part in node:
            yield from _find_free(part, bound)
            if isinstance(part, Parser.Symbol) and part.type == "bind":
                bound |= {part.lhs.value}
    elif isinstance(node, Parser.Symbol):
        if node.type == "variable" and node.value not in bound:
            yield node.value
        if node.type == "lambda":
            bound |= {argument.value for argument in node.arguments}
        yield from _find_free(_list_parts(node), bound)


def _list_parts(node: Any) -> list[Any]:
    """What of a node may read variables: not the name of a function that it calls, nor one that it binds."""
    unread = {"bind": "lhs", "function": "procedure", "lambda": "arguments"}.get(node.type)
    return [part for name, part in vars(node).items() if name not in (unread, *_UPWARD)]
