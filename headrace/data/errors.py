"""What can go wrong between a program and its data, in words a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    ResponseStreamingError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from obstore.exceptions import BaseError

from headrace.errors import HeadraceError, as_shown
from headrace.s3.answers import Refusal

# obstore has no type for it.
_CUT_OFF: Final = "request or response body error"
_NO_CONNECTION: Final = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)


class DataError(HeadraceError):
    """Data cannot be listed, read, written or copied."""


class AddressError(DataError, ValueError):
    """Something is not an address of data."""


class MissingObjectError(DataError, FileNotFoundError):
    """There is nothing at an address."""


class KeyRefusedError(DataError):
    """An object's key names no file inside the folder it is to go to."""


class DamagedObjectError(DataError):
    """What arrived is not what was sent."""


class ChangedObjectError(DataError):
    """An object was replaced while it was being read."""


class AccessDeniedError(DataError, PermissionError):
    """A policy does not allow it."""


class BlockedError(DataError):
    """S3 cannot be asked for anything: no connection, no such bucket, credentials or a clock that it does not take."""


class CredentialsError(AccessDeniedError, BlockedError):
    """There are no credentials."""


@contextmanager
def explaining(subject: object) -> Iterator[None]:
    """Turn the clients' errors about a subject, such as an address, into this library's."""
    try:
        yield
    except DataError:
        raise
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise CredentialsError(
            f"{as_shown(subject)}: no AWS credentials found; set AWS_PROFILE or run 'aws configure'"
        ) from error
    except ClientError as error:
        raise _explain(subject, Refusal.of(error.response)) from error
    except _NO_CONNECTION as error:
        raise BlockedError(f"{as_shown(subject)}: {_first_line(error)}") from error
    except FileNotFoundError as error:
        raise _explain(subject, Refusal.find_in(str(error)) or Refusal("NoSuchKey", "")) from error
    except (BaseError, Boto3Error, BotoCoreError, ResponseParserError, ValueError) as error:
        raise _explain_text(subject, error) from error


def _explain(subject: object, refusal: Refusal) -> DataError:
    shown = as_shown(subject)
    if refusal.is_missing:
        return MissingObjectError(f"there is nothing at {shown}" + (f" ({refusal.reason})" if refusal.message else ""))
    if refusal.is_changed:
        return ChangedObjectError(f"{shown} was replaced while it was being read; start again ({refusal.reason})")
    if refusal.is_blocking:
        return BlockedError(f"{shown}: {refusal}")
    return (AccessDeniedError if refusal.is_denied else DataError)(f"{shown}: {refusal}")


def _explain_text(subject: object, error: Exception) -> DataError:
    refusal = Refusal.find_in(str(error)) if isinstance(error, BaseError) else None
    if refusal:
        return _explain(subject, refusal)
    if _CUT_OFF in str(error) or isinstance(error, IncompleteReadError | ResponseStreamingError):
        return DamagedObjectError(f"{as_shown(subject)} was cut off in transit: {_first_line(error)}; try again")
    return DataError(f"{as_shown(subject)}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    return as_shown(next(iter(str(error).splitlines()), "") or type(error).__name__)
