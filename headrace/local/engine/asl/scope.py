"""What expressions of a state can read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


class Undefined:
    """The value of what is not there, which JSON cannot say."""


UNDEFINED: Final = Undefined()


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What expressions of a state can read at one moment.

    Attributes:
        input: The state's input; in a JSONPath state, what `$` means.
        context: The context object.
        variables: The values of variables as the state was entered.
        result: What the state's task, branches or iterations gave.
        error_output: What a catcher is given.
    """

    input: Any
    context: Mapping[str, Any]
    variables: Mapping[str, Any]
    result: Any = UNDEFINED
    error_output: Any = UNDEFINED
