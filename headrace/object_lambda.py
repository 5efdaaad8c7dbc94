"""Whether a deployment that failed lacks nothing but S3 Object Lambda, which AWS refuses most accounts."""

import re
from typing import Any, Final

from headrace.regions import OBJECT_LAMBDA, OBJECT_LAMBDA_CLOSED

_NOT_MADE: Final = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS"})
# What AWS answers an account that it refuses is not published; these certainly mean something else:
# https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
_OTHER_REASONS: Final = frozenset(
    {
        "AlreadyExists",
        "InternalFailure",
        "InvalidCredentials",
        "InvalidRequest",
        "NetworkFailure",
        "NotFound",
        "NotStabilized",
        "ResourceConflict",
        "ServiceInternalError",
        "ServiceLimitExceeded",
        "ServiceTimeout",
        "Throttling",
    }
)
# What IAM answers a role or boundary that lacks a permission, with one code or another.
_FORBIDDEN: Final = "is not authorized to perform"


class ObjectLambdaAttempt:
    """One deployment of an app whose last stack, if it has one for Object Lambda, AWS may refuse the account.

    Args:
        cloudformation: A boto3 client.
        stack_name: The name of that stack, None where there is none.

    Raises:
        ClientError: If CloudFormation does not say whether that stack stands.
    """

    def __init__(self, cloudformation: Any, stack_name: str | None) -> None:
        self._cloudformation = cloudformation
        self._stack_name = stack_name
        self._before = self._find_stack()

    def find_refusal(self) -> str:
        """What this deployment has left out because the account is refused it; empty where anything else has failed.

        The stack comes after all others, so where it was tried, everything else stands.

        Raises:
            ClientError: If CloudFormation does not say what became of that stack.
        """
        reason = self._find_failure()
        if not reason or _has_other_reason(reason):
            return ""
        return (
            f"left out: the stack {self._stack_name}. AWS refuses S3 Object Lambda to accounts that had not used it by "
            f"{OBJECT_LAMBDA_CLOSED}; here CloudFormation says: {reason}. That this is the refusal is a guess: "
            "AWS does not publish its words. Everything else stands; to skip the attempt next time, set "
            "normalizer.object_lambda to false"
        )

    def find_hint(self) -> str:
        """What to set if a permission that was missing is not the deployer's to get; empty where none was missing.

        Raises:
            ClientError: If CloudFormation does not say what became of that stack.
        """
        if _FORBIDDEN not in self._find_failure():
            return ""
        return (
            f"only the stack {self._stack_name} was not deployed, for want of a permission. An account that AWS has "
            "closed S3 Object Lambda to cannot get it: set normalizer.object_lambda to false there"
        )

    def _find_failure(self) -> str:
        """Why this deployment could not make that stack; empty where it did, or did not come to it."""
        stack = self._find_stack()
        is_tried = stack and (not self._before or stack["StackId"] != self._before["StackId"])
        if not stack or not is_tried or stack["StackStatus"] not in _NOT_MADE:
            return ""
        return self._find_reason(stack["StackId"])

    def _find_stack(self) -> dict[str, Any] | None:
        if self._stack_name is None:
            return None
        try:
            (stack,) = self._cloudformation.describe_stacks(StackName=self._stack_name)["Stacks"]
        except self._cloudformation.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        found: dict[str, Any] = stack
        return found

    def _find_reason(self, stack_id: str) -> str:
        """Why the first access point was not made: CloudFormation then cancels the others."""
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        failed = [
            event for page in pages for event in page["StackEvents"] if event["ResourceStatus"] == "CREATE_FAILED"
        ]
        # The latest event comes first.
        if not failed or failed[-1]["ResourceType"] != OBJECT_LAMBDA:
            return ""
        return " ".join(failed[-1].get("ResourceStatusReason", "no reason").split())


def _has_other_reason(reason: str) -> bool:
    codes = re.findall(r"HandlerErrorCode: (\w+)", reason)
    return _FORBIDDEN in reason or not _OTHER_REASONS.isdisjoint(codes)
