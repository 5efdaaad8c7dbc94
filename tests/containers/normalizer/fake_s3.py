"""Buckets in memory, with the operations of boto3's client that the program uses."""

import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody

# S3 gives times to the second.
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAGE = 3

Place = tuple[str, str]


@dataclass(frozen=True)
class Stored:
    """An object with all that is known of it."""

    body: bytes
    modified: datetime
    media_type: str = ""
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


class FakeS3:
    """A client of some buckets; the clock stands still unless a test moves it."""

    def __init__(self, *buckets: str) -> None:
        self.buckets = {"raw", "work", *buckets}
        self.objects: dict[Place, Stored] = {}
        self.requests: list[tuple[str, str]] = []
        self.refusals: dict[tuple[str, str], tuple[str, int]] = {}
        self.broken_reads: dict[str, int] = {}
        self.now = START
        self.before_get: Callable[[str], None] = lambda _: None

    def wait(self, **time: float) -> None:
        """Move the clock."""
        self.now += timedelta(**time)

    def put(self, key: str, body: bytes, bucket: str = "raw") -> None:
        """Put an object there without a request."""
        self.objects[bucket, key] = Stored(body, self.now)

    def refuse(self, operation: str, key: str, code: str, status: int = 400) -> None:
        """Answer an operation on a key with an error from now on."""
        self.refusals[operation, key] = (code, status)

    def read(self, key: str, bucket: str = "work") -> bytes:
        return self.objects[bucket, key].body

    def read_json(self, key: str) -> Any:
        return json.loads(self.read(key))

    def read_lines(self, key: str) -> list[Any]:
        return [json.loads(line) for line in self.read(key).splitlines()]

    def keys(self, prefix: str, bucket: str = "work") -> list[str]:
        """The keys below a prefix, in S3's order."""
        return sorted(key for owner, key in self.objects if owner == bucket and key.startswith(prefix))

    def count(self, operation: str, prefix: str = "") -> int:
        """How often something was asked for."""
        return sum(name == operation and key.startswith(prefix) for name, key in self.requests)

    # What follows is boto3's client.

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        self._check("ListObjectsV2", Bucket, Prefix)
        keys = iter(self.keys(Prefix, Bucket))
        while page := list(itertools.islice(keys, PAGE)):
            found = [(key, self.objects[Bucket, key]) for key in page]
            yield {"Contents": [{"Key": k, "ETag": o.etag, "LastModified": o.modified} for k, o in found]}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self._check("HeadObject", Bucket, Key)
        return {"Metadata": self._find(Bucket, Key, "404").metadata}

    def get_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
        Range: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        self.before_get(Key)
        self._check("GetObject", Bucket, Key)
        found = self._find(Bucket, Key, "NoSuchKey")
        if IfMatch not in {None, found.etag}:
            raise refusal("PreconditionFailed", 412)
        if IfNoneMatch == found.etag:
            raise refusal("304", 304)
        stream: Any = io.BytesIO(found.body)
        if self.broken_reads.get(Key, 0) > 0:
            self.broken_reads[Key] -= 1
            stream = BrokenStream()
        return {"Body": StreamingBody(stream, len(found.body)), "ETag": found.etag, "ContentLength": len(found.body)}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        ContentType: str,  # noqa: N803
        Metadata: dict[str, str],  # noqa: N803
    ) -> None:
        self._check("PutObject", Bucket, Key)
        self.objects[Bucket, Key] = Stored(Body, self.now, ContentType, dict(Metadata))

    def download_fileobj(self, bucket: str, key: str, file: IO[bytes]) -> None:
        # As boto3 does, wherever the file is.
        file.seek(0)
        file.write(self.get_object(Bucket=bucket, Key=key)["Body"].read())

    def upload_fileobj(self, file: IO[bytes], bucket: str, key: str, *, ExtraArgs: dict[str, Any]) -> None:  # noqa: N803
        self.put_object(Bucket=bucket, Key=key, Body=file.read(), **ExtraArgs)

    def _check(self, operation: str, bucket: str, key: str) -> None:
        self.requests.append((operation, key))
        if (operation, key) in self.refusals:
            raise refusal(*self.refusals[operation, key])
        if bucket not in self.buckets:
            raise refusal("NoSuchBucket", 404)

    def _find(self, bucket: str, key: str, code: str) -> Stored:
        if (bucket, key) not in self.objects:
            raise refusal(code, 404)
        return self.objects[bucket, key]


class BrokenStream(io.BytesIO):
    """An answer that breaks off."""

    def read(self, _amount: int | None = None) -> bytes:
        raise ReadTimeoutError(endpoint_url="https://s3.test")


def refusal(code: str, status: int) -> ClientError:
    """S3's error of this code."""
    response = {"Error": {"Code": code, "Message": f"{code}!"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")
