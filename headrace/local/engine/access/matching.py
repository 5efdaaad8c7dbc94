"""How patterns of policies match: wildcards, and variables such as `${aws:username}`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

# The version of the policy language that has variables; in another one, or without one, they are plain text.
CURRENT_VERSION: Final = "2012-10-17"

_VARIABLE: Final = re.compile(r"\$\{\s*(?P<key>[^},]+?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}")
_ARN_PARTS: Final = 6
# What a variable stands for has no wildcards and no variables: these characters stand for such letters there.
_LITERALS: Final = str.maketrans({"*": "\ue000", "?": "\ue001", "$": "\ue002"})
_LETTERS: Final = {"\ue000": "*", "\ue001": "?", "\ue002": "$"}
_READ: Final = str.maketrans(_LETTERS)


def expand(text: str, find: Callable[[str], str | None]) -> str | None:
    """A pattern with the values of its variables; nothing where one has neither a value nor a default.

    Args:
        text: The pattern.
        find: The value of a condition key.
    """
    missing = False

    def replace(variable: re.Match[str]) -> str:
        nonlocal missing
        key = variable["key"]
        value = key if key in {"*", "?", "$"} else find(key)
        value = variable["default"] if value is None else value
        missing = missing or value is None
        return quote(value or "")

    expanded = _VARIABLE.sub(replace, text)
    return None if missing else expanded


def quote(text: str) -> str:
    """A text as a pattern that matches nothing but it."""
    return text.translate(_LITERALS)


def unquote(pattern: str) -> str:
    """The text that a pattern without wildcards matches."""
    return pattern.translate(_READ)


def match_wildcards(pattern: str, value: str, *, is_case_kept: bool = True) -> bool:
    """Whether a value matches a pattern of a policy: `*` is anything, `?` one character."""
    return _compile(pattern, is_case_kept).fullmatch(value) is not None


def match_arn(pattern: str, value: str) -> bool:
    """Whether an ARN matches a pattern as ArnLike has it: each of its six parts for itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    patterns, values = pattern.split(":", _ARN_PARTS - 1), value.split(":", _ARN_PARTS - 1)
    if pattern == "*":
        return True
    return len(patterns) == len(values) == _ARN_PARTS and all(map(match_wildcards, patterns, values))


@cache
def _compile(pattern: str, is_case_kept: bool) -> re.Pattern[str]:
    letters = {"*": ".*", "?": "."} | {mark: re.escape(letter) for mark, letter in _LETTERS.items()}
    written = "".join(letters.get(letter, re.escape(letter)) for letter in pattern)
    return re.compile(written, re.DOTALL if is_case_kept else re.DOTALL | re.IGNORECASE)
