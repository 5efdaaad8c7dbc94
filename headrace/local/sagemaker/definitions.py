"""Resources that never change once they are made, such as models."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.local.sagemaker.catalog import read_tags
from headrace.local.sagemaker.host import read_clock
from headrace.local.sagemaker.kind import Handler, ResourceKind


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A resource that consists only of the request it was made from."""

    kind: str
    name: str
    arn: str
    request: Mapping[str, Any]
    creation_time: datetime = field(default_factory=read_clock)
    status: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def last_modified_time(self) -> datetime:
        """When it was created: it never changes."""
        return self.creation_time

    def describe(self) -> dict[str, Any]:
        """The request it was made from, with what SageMaker adds."""
        kept = {key: value for key, value in self.request.items() if key != "Tags"}
        return {**kept, f"{self.kind}Arn": self.arn, "CreationTime": self.creation_time}

    def summarize(self) -> dict[str, Any]:
        """Its line in a List operation."""
        return {f"{self.kind}Name": self.name, f"{self.kind}Arn": self.arn, "CreationTime": self.creation_time}

    def start(self) -> None:
        """Does nothing: it is there as soon as it is made."""

    def wait(self) -> None:
        """Returns at once."""

    def close(self) -> None:
        """Does nothing: nothing runs."""


class DefinitionKind(ResourceKind[Definition]):
    """A kind whose resources never change; they can be deleted whatever was made from them."""

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Delete, besides those that every kind has."""
        return {**super().operations, f"Delete{self.name}": self.delete}

    @abstractmethod
    def check(self, request: Mapping[str, Any]) -> None:
        """Raises SageMakerError for a request that SageMaker or this machine would not take."""

    def make(self, request: Mapping[str, Any]) -> Definition:
        """The definition that a request asks for."""
        self.check(request)
        name = request[f"{self.name}Name"]
        arn = self._host.arn(self.name, name)
        return Definition(kind=self.name, name=name, arn=arn, request=request, tags=read_tags(request))

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Delete; what was made from it stays as it is."""
        self._catalog.remove(self.find_requested(request).name)
        return {}
