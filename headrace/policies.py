"""How policies are written: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html."""

from typing import Any


def as_list(value: Any) -> list[Any]:
    """A policy's value, which may stand alone where there is one."""
    return value if isinstance(value, list) else [value]
