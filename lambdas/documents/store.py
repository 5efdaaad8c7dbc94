"""The two buckets, as far as documents are concerned."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from headrace.documents.pages import BEGINNING_BYTES, UnreadableDocumentError, check_size


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document of the raw bucket.

    Args:
        content: Its bytes; none if it is refused.
        version: The version of the object; empty in a bucket without versions.
        refusal: Why Textract would not take it, if its size alone says so.
    """

    content: bytes
    version: str
    refusal: UnreadableDocumentError | None = None


class Store:
    """Reads documents, and reads and writes what is known of them.

    Args:
        s3: The client.
        raw: The bucket of the documents.
        work: The bucket of everything else.
    """

    def __init__(self, s3: Any, *, raw: str, work: str) -> None:
        self._s3 = s3
        self._raw = raw
        self._work = work

    def list_documents(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix of the raw bucket, without those of folders."""
        return (key for key in self._list(self._raw, prefix) if not key.endswith("/"))

    def read_document(self, key: str) -> Document:
        """A document as it is now; of one that is too large, no more than the beginning is read."""
        found = self._s3.get_object(Bucket=self._raw, Key=key)
        version = found.get("VersionId", "")
        with closing(found["Body"]) as body:
            beginning = body.read(BEGINNING_BYTES)
            try:
                check_size(beginning, found["ContentLength"])
            except UnreadableDocumentError as error:
                return Document(content=b"", version=version, refusal=error)
            return Document(content=beginning + body.read(), version=version)

    def list(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix of the work bucket."""
        return self._list(self._work, prefix)

    def read(self, key: str) -> Any:
        """What a JSON object of the work bucket holds.

        Raises:
            LookupError: If it is not there.
            ValueError: If it is not JSON.
        """
        try:
            found = self._s3.get_object(Bucket=self._work, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise LookupError(f"{key} is not there") from None
        return json.load(found["Body"])

    def write(self, key: str, content: Any) -> str:
        """Write JSON into the work bucket.

        Returns:
            Its address.
        """
        text = json.dumps(content, ensure_ascii=False).encode()
        self._s3.put_object(Bucket=self._work, Key=key, Body=text, ContentType="application/json")
        return self.name(key)

    def write_text(self, key: str, text: str) -> None:
        """Write text into the work bucket."""
        self._s3.put_object(Bucket=self._work, Key=key, Body=text.encode(), ContentType="text/plain; charset=utf-8")

    def send(self, key: str, source: BinaryIO) -> str:
        """Write an open file into the work bucket.

        Returns:
            Its address.
        """
        source.seek(0)
        self._s3.upload_fileobj(source, self._work, key)
        return self.name(key)

    def name(self, key: str) -> str:
        """The address of an object of the work bucket."""
        return f"s3://{self._work}/{key}"

    def _list(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return (found["Key"] for page in pages for found in page.get("Contents", ()))
