"""What can go wrong, as a message and exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from headrace.errors import HeadraceError, explain_os_error


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a user can mend into a message and exit code 1."""
    try:
        yield
    except HeadraceError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(explain_os_error(error)) from None
    except UnicodeEncodeError as error:
        raise click.ClickException(f"{error.object[error.start : error.end]!r} cannot be written as text") from None
    except MemoryError:
        raise click.ClickException("this takes more memory than there is") from None


@contextmanager
def clear_errors_of_aws() -> Iterator[None]:
    """The same, for what calls AWS by its own client."""
    # Not above: it takes longer to import than many commands take.
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    with clear_errors():
        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise click.ClickException(str(error)) from None
