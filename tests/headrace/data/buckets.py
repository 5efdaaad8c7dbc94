"""Buckets of the local cloud, and folders, as tests look at them."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bucket:
    """A bucket and boto3's client for it."""

    name: str
    s3: Any

    @classmethod
    def create(cls, s3: Any) -> "Bucket":
        """A new bucket."""
        name = f"data-{uuid.uuid4().hex}"
        s3.create_bucket(Bucket=name)
        return cls(name, s3)

    @property
    def uri(self) -> str:
        """Its address."""
        return f"s3://{self.name}"

    def put(self, key: str, content: bytes = b"content") -> str:
        """Store an object; its address."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)
        return f"{self.uri}/{key}"

    def get(self, key: str) -> bytes:
        """The content of an object."""
        content: bytes = self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def list_keys(self) -> list[str]:
        """The keys of all objects."""
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]


def read_folder(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
