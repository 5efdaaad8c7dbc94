"""Tags of resources of every kind."""

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.local.sagemaker.catalog import read_tags
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import Host
from headrace.local.sagemaker.kind import Handler, Kind, Kinds


class Tags(Kind):
    """The tag operations of the API; each resource keeps its own."""

    name: ClassVar[str] = "Tags"

    def __init__(self, host: Host, kinds: Kinds) -> None:
        super().__init__(host, kinds)
        self._lock = threading.Lock()

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Those that read and change tags."""
        return {"AddTags": self.add_tags, "DeleteTags": self.delete_tags, "ListTags": self.list_tags}

    def add_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """AddTags of the API."""
        tags = self._find(request["ResourceArn"])
        with self._lock:
            tags.update(read_tags(request))
        return self.list_tags(request)

    def delete_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteTags of the API; keys that no tag has are not a mistake."""
        tags = self._find(request["ResourceArn"])
        with self._lock:
            for key in request["TagKeys"]:
                tags.pop(key, None)
        return {}

    def list_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListTags of the API, always in one page."""
        tags = self._find(request["ResourceArn"])
        with self._lock:
            return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def _find(self, arn: str) -> dict[str, str]:
        for resource in (resource for kind in self._kinds for resource in kind.resources()):
            if resource.arn == arn:
                return resource.tags
        raise RequestRefusedError(f"Resource {arn} does not exist.")
