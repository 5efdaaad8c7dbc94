"""The tags of everything, within the rules of the services that keep them."""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator

from headrace.contract import EXECUTION_TAG, WORKLOAD_TAG
from stacks.settings.section import Allowed

ENVIRONMENT_TAG: Final = "environment"
# The tags that say whose something is: policies and clean-up rest on them.
OWNER_TAGS: Final = (ENVIRONMENT_TAG, "project", WORKLOAD_TAG)
# A resource has 50 at most: ours adds the workload and the execution to jobs, and Step Functions adds its execution and
# MANAGED_BY_AWS.
MOST_TAGS: Final = 46
_SET_BY_US: Final = (WORKLOAD_TAG, EXECUTION_TAG)
_LONGEST_KEY: Final = 128
_LONGEST_VALUE: Final = 256
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
_SIGNS: Final = "_.:/=+-@"


def _check_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    if len(tags) > MOST_TAGS:
        raise ValueError(f"{len(tags)} tags; AWS keeps 50 on a resource, of which jobs need four for their own")
    keys: set[str] = set()
    for key, value in tags.items():
        _check_key(key, taken=keys)
        if len(value) > _LONGEST_VALUE:
            raise ValueError(f"the value of '{key}' has {len(value)} characters, at most {_LONGEST_VALUE} are allowed")
        _check_characters(f"the value of '{key}'", value)
        keys.add(key.lower())
    return tags


def name_owner(tags: Mapping[str, str], environment: str) -> Mapping[str, str]:
    """The tags with that of the environment, by which it is told from others in the account.

    Raises:
        ValueError: If they say that what has them is another's.
    """
    for key, value in tags.items():
        if key.lower() == ENVIRONMENT_TAG and (key, value) != (ENVIRONMENT_TAG, environment):
            raise ValueError(
                f"'{key}' is '{value}': everything has '{ENVIRONMENT_TAG}' with the name of the environment, "
                f"'{environment}', which keeps it apart from others; leave it out, or choose another key"
            )
        if key.lower() in _SET_BY_US:
            raise ValueError(f"'{key}' is set by what executions make, and says whose it is; choose another key")
    named = {**tags, ENVIRONMENT_TAG: environment}
    if len(named) > MOST_TAGS:
        raise ValueError(
            f"{len(tags)} tags, and everything has '{ENVIRONMENT_TAG}', too; at most {MOST_TAGS} are allowed"
        )
    return named


def _check_key(key: str, *, taken: set[str]) -> None:
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise ValueError(f"a tag's key has 1 to {_LONGEST_KEY} characters, and this one {len(key)}: '{key}'")
    if key.lower().startswith("aws:"):
        raise ValueError(f"'{key}': keys that begin with 'aws:' are AWS's own")
    if key.lower() in taken:
        raise ValueError(f"'{key}' occurs twice; IAM ignores case in keys")
    _check_characters(f"the key '{key}'", key)


def _check_characters(what: str, text: str) -> None:
    for character in text:
        if unicodedata.category(character)[0] not in "LNZ" and character not in _SIGNS:
            raise ValueError(
                f"{what} has the character {character!r}; letters, digits, blanks and {_SIGNS} are allowed"
            )


Tags = Annotated[
    Mapping[str, str],
    AfterValidator(_check_tags),
    Allowed(
        f"an object of at most {MOST_TAGS} texts, each with a key of up to 128 and a value of up to 256 characters"
    ),
]
