"""Tags of resources."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from headrace.local.sagemaker.errors import RequestRefusedError


class Tags:
    """The tags of every resource, by its ARN."""

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._lock = threading.Lock()
        self._tags: dict[str, dict[str, str]] = {}

    def replace(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Gives a new resource its tags, and none of an earlier one of its name."""
        with self._lock:
            self._tags[arn] = {tag["Key"]: tag["Value"] for tag in tags}

    def add_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """AddTags of the API."""
        arn = self._find(request["ResourceArn"])
        with self._lock:
            self._tags[arn].update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        return self.list_tags(request)

    def delete_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteTags of the API; keys that no tag has are not a mistake."""
        arn = self._find(request["ResourceArn"])
        with self._lock:
            for key in request["TagKeys"]:
                self._tags[arn].pop(key, None)
        return {}

    def list_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListTags of the API, always in one page."""
        arn = self._find(request["ResourceArn"])
        with self._lock:
            return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(self._tags[arn].items())]}

    def _find(self, arn: str) -> str:
        if not self._exists(arn):
            raise RequestRefusedError(f"Resource {arn} does not exist.")
        return arn
