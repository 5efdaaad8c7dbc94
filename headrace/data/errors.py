"""What can go wrong between a program and its data, in words a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

from headrace.errors import HeadraceError

MISSING_CODES: Final = {"404", "NoSuchKey", "NotFound"}
_DENIED_CODES: Final = {"403", "AccessDenied", "Forbidden"}


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
    """The credentials do not allow it."""


@contextmanager
def explaining(subject: object) -> Iterator[None]:
    """Turn the clients' errors about a subject, such as an address, into this library's."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError as error:
        raise _explain_missing(subject, error) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise _deny(subject) from error
    except PreconditionError as error:
        raise ChangedObjectError(f"{subject} was replaced while it was being read; start again") from error
    except ClientError as error:
        raise _explain_answer(subject, error) from error
    except NoCredentialsError as error:
        raise AccessDeniedError(
            f"{subject}: no AWS credentials found; set AWS_PROFILE or run 'aws configure'"
        ) from error
    except (BaseError, Boto3Error, BotoCoreError, ValueError) as error:
        raise DataError(f"{subject}: {_first_line(error)}") from error


def is_missing(error: ClientError) -> bool:
    """Whether S3 answered that there is no such object; a missing bucket is another matter."""
    return error.response["Error"]["Code"] in MISSING_CODES


def _explain_missing(subject: object, error: FileNotFoundError) -> DataError:
    # obstore gives S3's answer within its message only.
    if "NoSuchBucket" in str(error):
        return DataError(f"{subject}: the bucket does not exist; check its name")
    return MissingObjectError(f"there is nothing at {subject}")


def _explain_answer(subject: object, error: ClientError) -> DataError:
    code = error.response["Error"]["Code"]
    if code == "NoSuchBucket":
        return DataError(f"{subject}: the bucket does not exist; check its name")
    if code in MISSING_CODES:
        return MissingObjectError(f"there is nothing at {subject}")
    if code == "PreconditionFailed":
        return ChangedObjectError(f"{subject} was replaced while it was being read; start again")
    if code in _DENIED_CODES:
        return _deny(subject)
    return DataError(f"{subject}: {_first_line(error)}")


def _deny(subject: object) -> AccessDeniedError:
    return AccessDeniedError(
        f"{subject}: access denied; the role needs s3:ListBucket on the bucket and s3:GetObject or s3:PutObject on the "
        "objects, and kms:Decrypt or kms:GenerateDataKey if they are encrypted with a key of yours"
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
