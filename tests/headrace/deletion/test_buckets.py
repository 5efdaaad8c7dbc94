"""Buckets with more versions than an answer lists, and with some that cannot be deleted."""

from typing import Any

import pytest

from headrace.deletion import buckets
from headrace.deletion.buckets import NotEmptiedError, empty, measure
from tests.headrace.deletion.accounts import refuse

PAGE = 1_000


class S3:
    """A bucket of versions and delete markers, which lists and deletes a thousand at once."""

    def __init__(self, versions: int, markers: int, locked: int = 0) -> None:
        self.held = [{"Key": f"key-{number}", "VersionId": str(number)} for number in range(versions + markers)]
        self._versions, self._locked = versions, locked

    def delete_bucket_policy(self, **_request: str) -> None:
        """There is none, which is no error."""

    def list_object_versions(self, **_request: str) -> dict[str, Any]:
        return {**self._show(self.held[:PAGE]), "IsTruncated": len(self.held) > PAGE}

    def get_paginator(self, _operation: str) -> "S3":
        return self

    def paginate(self, **_request: str) -> Any:
        listed = list(self.held)
        return (self._show(listed[at : at + PAGE]) for at in range(0, len(listed), PAGE))

    def delete_objects(self, *, Delete: Any, **_request: Any) -> dict[str, Any]:  # noqa: N803 (S3's spelling)
        assert len(Delete["Objects"]) <= PAGE
        refused = [each for each in Delete["Objects"] if int(each["VersionId"]) < self._locked]
        gone = {each["VersionId"] for each in Delete["Objects"]} - {each["VersionId"] for each in refused}
        self.held = [each for each in self.held if each["VersionId"] not in gone]
        return {"Errors": [{**each, "Code": "AccessDenied", "Message": "object lock"} for each in refused]}

    def _show(self, page: list[dict[str, str]]) -> dict[str, Any]:
        markers = [each for each in page if int(each["VersionId"]) >= self._versions]
        return {"Versions": [each for each in page if each not in markers], "DeleteMarkers": markers}


def test_empties_a_bucket_of_ten_thousand_versions_and_delete_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = S3(versions=6_500, markers=4_000)
    monkeypatch.setattr(buckets, "make_client", lambda _: s3)

    extent = measure("raw")
    empty("raw")

    assert str(extent) == "at least 1,000 object versions"
    assert s3.held == []


def test_deletes_everything_but_what_is_locked_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = S3(versions=2_500, markers=0, locked=3)
    monkeypatch.setattr(buckets, "make_client", lambda _: s3)

    with pytest.raises(NotEmptiedError, match=r"^s3://raw/key-0 cannot be deleted \(and 2 others\): object lock$"):
        empty("raw")

    assert [each["Key"] for each in s3.held] == ["key-0", "key-1", "key-2"]


def test_takes_a_bucket_that_is_gone_for_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = S3(versions=0, markers=0)
    monkeypatch.setattr(s3, "delete_bucket_policy", refuse("NoSuchBucket"))
    monkeypatch.setattr(buckets, "make_client", lambda _: s3)

    empty("raw")
