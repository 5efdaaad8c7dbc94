"""Who owns what a statement of a policy is about."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Aws

from stacks.settings.tags import OWNER_TAGS

# Condition keys, each before that of a tag.
REQUEST_TAG: Final = "aws:RequestTag"
RESOURCE_TAG: Final = "aws:ResourceTag"


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


def with_owner_tags(key: str, tags: Mapping[str, str]) -> dict[str, str]:
    """What a condition compares, so that a statement is about one workload of one environment.

    The tags that only say what something costs are left out: they change, and those of an endpoint stay.

    Args:
        key: The condition key before the tag's own: `RESOURCE_TAG` or `REQUEST_TAG`.
        tags: The tags of what belongs to it.
    """
    return {f"{key}/{tag}": value for tag, value in pick_owner_tags(tags).items()}


def pick_owner_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Those of some tags that say whose something is."""
    return {tag: tags[tag] for tag in OWNER_TAGS if tag in tags}
