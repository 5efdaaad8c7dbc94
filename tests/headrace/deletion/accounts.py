"""What tests of deletions have accounts answer."""

from collections.abc import Callable
from typing import Any, NoReturn

from botocore.exceptions import ClientError


def refuse(code: str, message: str = "") -> Callable[..., NoReturn]:
    """An operation that is answered with an error."""

    def call(*_: Any, **_request: Any) -> NoReturn:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "Operation")

    return call
