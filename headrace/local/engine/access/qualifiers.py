"""What IAM decides on for a version or an alias: the state machine, with the qualifier as a condition key.

https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
"""

import re
from collections.abc import Mapping
from typing import Any, Final

QUALIFIER: Final = "states:StateMachineQualifier"

_QUALIFIED: Final = re.compile(r"(arn:[\w-]+:states:[^:]*:[^:]*:stateMachine:[^:/]+):([^:/]+)")
_NAMING: Final = ("stateMachineArn", "stateMachineVersionArn", "stateMachineAliasArn")


def split_qualified(arn: str) -> tuple[str, str]:
    """A state machine's ARN, and the version or alias that the ARN names; nothing for other ARNs."""
    found = _QUALIFIED.fullmatch(arn)
    return (found[1], found[2]) if found else (arn, "")


def describe_qualifier(arn: str) -> dict[str, str]:
    """The condition keys of a request that names this ARN."""
    _, qualifier = split_qualified(arn)
    return {QUALIFIER: qualifier} if qualifier else {}


def find_named_machine(request: Mapping[str, Any]) -> str:
    """The ARN by which a request of Step Functions names a state machine, if it does."""
    return next((str(request[name]) for name in _NAMING if request.get(name)), "")
