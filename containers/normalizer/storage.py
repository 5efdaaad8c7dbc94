"""S3 as the job uses it: what may fail for one object is kept apart from what ends the job."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import IO, Any, Final, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.session import get_session
from urllib3.exceptions import HTTPError

from headrace.s3.addresses import S3Address
from headrace.s3.answers import Refusal
from headrace.s3.heads import find_object
from headrace.s3.times import parse_time

from .failures import BulkJobError, StorageError

_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 30
_REQUEST_ATTEMPTS: Final = 5
# A broken answer is asked for again; botocore does that only until an answer begins.
_READ_ATTEMPTS: Final = 3

_UNCHANGED: Final = "304"
# Trying again will not help: the object is in an archive, or its normalized image's key would be too long.
_FINAL: Final = frozenset({"InvalidObjectState", "KeyTooLongError"})
# What is refused of one object so is refused of all that the job may ask for.
_ENDING: Final = frozenset({"403", "AccessDenied", "SignatureDoesNotMatch"})


class ObjectError(BulkJobError):
    """An object that cannot be read or written.

    Args:
        place: Which one.
        code: S3's word for the reason.
        reason: What is wrong.
        is_final: Whether the next run would find the same.
    """

    def __init__(self, place: S3Address, code: str, reason: str, *, is_final: bool = False) -> None:
        super().__init__(f"{place}: {code}: {reason}")
        self.code = code
        self.reason = reason
        self.is_final = is_final


class AbsentObjectError(ObjectError):
    """There is no such object."""

    def __init__(self, place: S3Address) -> None:
        super().__init__(place, "NoSuchKey", "there is no such object", is_final=True)


class UnchangedError(Exception):
    """An object is still the one that the caller knows."""


class StoredObject(NamedTuple):
    """An object in a list.

    Args:
        path: Its key without the prefix that was listed.
        etag: What changes with its content, in quotes as S3 gives it.
        modified: When it was written, to the second.
    """

    path: str
    etag: str
    modified: datetime


class Storage:
    """The operations of S3 that the job needs.

    Args:
        s3: boto3's client.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def list_objects(self, prefix: S3Address) -> Iterator[StoredObject]:
        """All objects below a prefix, in the order of their keys as S3 lists them: that of their code points."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        start = len(prefix.key)
        with explaining(prefix):
            for page in pages:
                for found in page.get("Contents", []):
                    yield StoredObject(found["Key"][start:], found["ETag"], found["LastModified"])

    def read_metadata(self, place: S3Address) -> dict[str, str] | None:
        """What was stored beside an object; None if there is no object."""
        with explaining(place):
            found = find_object(self._s3, place.bucket, place.key)
        return None if found is None else dict(found["Metadata"])

    @contextmanager
    def open(
        self, place: S3Address, *, if_etag: str | None = None, unless_etag: str | None = None
    ) -> Iterator["OpenObject"]:
        """An object, of which nothing has been read yet.

        Args:
            place: Which one.
            if_etag: The only version that will do.
            unless_etag: The version that the caller knows.

        Raises:
            UnchangedError: If it is the version that the caller knows.
            ObjectError: If it cannot be had.
        """
        answer = self._get(place, IfMatch=if_etag, IfNoneMatch=unless_etag)
        found = OpenObject(place, answer, lambda: self._get(place, IfMatch=answer["ETag"]))
        try:
            yield found
        finally:
            found.close()

    def read(self, place: S3Address) -> bytes | None:
        """A small object; None if there is none."""
        try:
            with self.open(place) as found:
                return found.read()
        except AbsentObjectError:
            return None

    def read_json(self, place: S3Address) -> dict[str, Any]:
        """A small JSON object; an empty one if there is none, or something else."""
        try:
            found = json.loads(self.read(place) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, place: S3Address, body: bytes, media_type: str, metadata: Mapping[str, str] | None = None) -> None:
        """Write an object, which appears whole or not at all."""
        with explaining(place):
            self._s3.put_object(
                Bucket=place.bucket, Key=place.key, Body=body, ContentType=media_type, Metadata=metadata or {}
            )

    def download(self, place: S3Address, file: IO[bytes]) -> None:
        """Put an object into a file."""
        with explaining(place):
            self._s3.download_fileobj(place.bucket, place.key, file)

    def upload(
        self, file: IO[bytes], place: S3Address, media_type: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Put a file into an object, which appears whole or not at all."""
        file.seek(0)
        more = {"ContentType": media_type, "Metadata": metadata or {}}
        with explaining(place):
            self._s3.upload_fileobj(file, place.bucket, place.key, ExtraArgs=more)

    def _get(self, place: S3Address, **conditions: str | None) -> Any:
        given = {name: etag for name, etag in conditions.items() if etag}
        with explaining(place):
            return self._s3.get_object(Bucket=place.bucket, Key=place.key, **given)


class OpenObject:
    """An object of which the size is known and the bytes are read when there is room for them.

    Args:
        place: Which one.
        answer: S3's, of which nothing has been read.
        ask_again: Gets another answer about the same version.
    """

    def __init__(self, place: S3Address, answer: Any, ask_again: Callable[[], Any]) -> None:
        self._place = place
        self._body = answer["Body"]
        self._ask_again = ask_again
        self.etag: str = answer["ETag"]
        self.size: int = answer["ContentLength"]

    def read(self) -> bytes:
        """All its bytes, asked for again where an answer breaks off."""
        for _ in range(_READ_ATTEMPTS - 1):
            with suppress(BotoCoreError, HTTPError):
                return bytes(self._body.read())
            self.close()
            self._body = self._ask_again()["Body"]
        with explaining(self._place):
            return bytes(self._body.read())

    def close(self) -> None:
        """Drop what has not been read."""
        self._body.close()


def connect(connections: int) -> Storage:
    """S3 with boto3's usual credentials, region and endpoint."""
    core = get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_time)
    session = boto3.Session(botocore_session=core)
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        # One more lists.
        max_pool_connections=connections + 1,
        retries={"total_max_attempts": _REQUEST_ATTEMPTS, "mode": "standard"},
    )
    # boto3 itself looks for the region in AWS_DEFAULT_REGION only.
    return Storage(session.client("s3", region_name=session.region_name or os.environ.get("AWS_REGION"), config=config))


@contextmanager
def explaining(place: S3Address) -> Iterator[None]:
    """Turn the client's errors about a place into the job's.

    Raises:
        StorageError: If the whole job would meet it.
        ObjectError: If it is about this place.
        UnchangedError: If there is nothing new.
    """
    try:
        yield
    except ClientError as error:
        raise _explain_answer(place, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageError(f"{place}: no AWS credentials found; set AWS_PROFILE or run 'aws configure'") from error
    except (BotoCoreError, HTTPError) as error:
        raise ObjectError(place, type(error).__name__, f"{error}; run the job again") from error


def _explain_answer(place: S3Address, error: ClientError) -> Exception:
    refusal = Refusal.of(error.response)
    if refusal.code == _UNCHANGED:
        return UnchangedError()
    if refusal.is_blocking or refusal.code in _ENDING:
        return StorageError(f"{place}: {refusal}")
    if refusal.is_missing:
        return AbsentObjectError(place)
    if refusal.is_changed:
        return ObjectError(place, "PreconditionFailed", "it was replaced while the job ran; run the job again")
    return ObjectError(place, refusal.code, refusal.message, is_final=refusal.code in _FINAL)
