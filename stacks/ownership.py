"""Who owns what a statement of a policy is about."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws


def in_this_account(conditions: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Conditions of a statement on buckets by which it allows nothing on those of another account.

    A bucket's name that is misspelt, or given up, may be registered by anybody:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html

    Args:
        conditions: What else must hold.
    """
    given = dict(conditions or {})
    equals = {**given.get("StringEquals", {}), "s3:ResourceAccount": Aws.ACCOUNT_ID}
    return {**given, "StringEquals": equals}
