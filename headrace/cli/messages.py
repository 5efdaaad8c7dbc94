"""What can go wrong, as a message and exit code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from headrace.errors import HeadraceError, explain_os_error

_NO_REGION: Final = (
    "your AWS clients have no Region: set the variable AWS_DEFAULT_REGION, the Region of your AWS profile "
    "('aws configure set region REGION'), or 'region' of the environment in cdk.json"
)
_NO_CREDENTIALS: Final = (
    "your AWS clients have no credentials: sign in ('aws configure sso', 'aws login') or choose a profile with "
    'AWS_PROFILE; for the local cloud, run eval "$(headrace local up)"'
)
_EXPLAINED: Final = {"NoRegionError": _NO_REGION, "NoCredentialsError": _NO_CREDENTIALS}


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a user can mend into a message and exit code 1; a mistake of ours stays one."""
    try:
        yield
    except Exception as error:
        message = find_message(error)
        if message is None:
            raise
        raise click.ClickException(message) from None


def find_message(error: Exception) -> str | None:
    """What to tell a user of an error; None where it is not the user's to mend."""
    if isinstance(error, HeadraceError) or _is_of_aws(error):
        return _EXPLAINED.get(type(error).__name__, str(error))
    if isinstance(error, OSError):
        return explain_os_error(error)
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object[error.start : error.end]!r} cannot be encoded as text"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return None


def _is_of_aws(error: Exception) -> bool:
    """Whether it is what AWS's client raises."""
    # A command that has not imported it has no error of it, and importing it takes longer than many commands do.
    if "boto3.exceptions" not in sys.modules:
        return False
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, Boto3Error | BotoCoreError | ClientError)
