"""The objects that say whose turn it is at an endpoint and what serves there, as S3 has them, in a test's memory."""

from collections.abc import Mapping
from typing import Any, Final

from headrace.local.engine.asl.failures import StateFailedError

REFUSED: Final = ("S3.S3Exception", "At least one of the pre-conditions you specified did not hold")
# What S3 says of every archive of a model.
ARCHIVE: Final = {"ETag": '"0a1b-2"', "VersionId": "first/+_"}
MISSING: Final = ("S3.NoSuchKeyException", "The specified key does not exist.")


class TurnsHeld:
    """Answers PutObject, GetObject, HeadObject, DeleteObject and ListObjectsV2 of S3, and DescribeExecution.

    Args:
        held: The body of each object, by its key.
        statuses: The status of each execution, by its ARN; of others nothing is known.
    """

    def __init__(self, held: Mapping[str, str] | None = None, statuses: Mapping[str, str] | None = None) -> None:
        self.held = dict(held or {})
        self.statuses = dict(statuses or {})
        self.requests: list[tuple[str, Mapping[str, Any]]] = []

    def run(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """An answer, as Step Functions gives it."""
        if operation == "headObject":
            # Nothing of whose turn it is.
            return ARCHIVE
        self.requests.append((operation, arguments))
        if operation == "describeExecution":
            return self._describe(arguments["ExecutionArn"])
        if operation == "listObjectsV2":
            found = [{"Key": key} for key in sorted(self.held) if key.startswith(arguments["Prefix"])]
            return {"KeyCount": len(found), **({"Contents": found} if found else {})}
        body = self.held.get(arguments["Key"])
        self._check(arguments, body)
        if operation == "putObject":
            self.held[arguments["Key"]] = arguments["Body"]
            return {"ETag": _tag(arguments["Body"])}
        if operation == "deleteObject":
            self.held.pop(arguments["Key"], None)
            return {}
        if body is None:
            raise StateFailedError(*MISSING)
        return {"Body": body, "ETag": _tag(body)}

    def _check(self, arguments: Mapping[str, Any], body: str | None) -> None:
        if "IfMatch" in arguments and body is None:
            raise StateFailedError(*MISSING)
        if "IfMatch" in arguments and arguments["IfMatch"] != _tag(body):
            raise StateFailedError(*REFUSED)
        if "IfNoneMatch" in arguments and body is not None:
            raise StateFailedError(*REFUSED)

    def _describe(self, arn: str) -> dict[str, Any]:
        if arn not in self.statuses:
            raise StateFailedError("Sfn.ExecutionDoesNotExistException", f"Execution Does Not Exist: '{arn}'")
        return {"Status": self.statuses[arn]}


def _tag(body: str | None) -> str:
    return f'"{body}"'
