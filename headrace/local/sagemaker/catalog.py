"""The resources of one kind: what each can do, all of them by name, and the pages in which they are listed."""

import base64
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from headrace.local.sagemaker.errors import RequestRefusedError

DEFAULT_PAGE_SIZE = 10
_VERSION_DIGITS = 9
# By what no resource of one machine has: warm pools and bought capacity.
UNMATCHED_FILTERS = frozenset({"WarmPoolStatusEquals", "TrainingPlanArnEquals"})


class Resource(Protocol):
    """What every resource can say of itself and do."""

    @property
    def name(self) -> str:
        """Its name as the request wrote it."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    @property
    def creation_time(self) -> datetime:
        """When it was created."""
        ...

    @property
    def last_modified_time(self) -> datetime:
        """When its state changed last."""
        ...

    @property
    def status(self) -> str:
        """Its status; empty where the kind has none."""
        ...

    @property
    def tags(self) -> dict[str, str]:
        """Its tags, which may be changed."""
        ...

    def describe(self) -> dict[str, Any]:
        """What the Describe operation answers."""
        ...

    def summarize(self) -> dict[str, Any]:
        """Its line in the List operation."""
        ...

    def start(self) -> None:
        """Begins its work in the background, if it has any."""
        ...

    def wait(self) -> None:
        """Returns when nothing is being done to it."""
        ...

    def close(self) -> None:
        """Ends it at once because the local cloud ends, and returns when nothing of it runs."""
        ...


R = TypeVar("R", bound=Resource)


class Catalog(Generic[R]):
    """Resources by name; names that differ only in case are one name, as in their ARNs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resources: dict[str, R] = {}

    def add(self, resource: R) -> R | None:
        """Keeps a resource, unless the name is taken: then the one that has it."""
        with self._lock:
            kept = self._resources.setdefault(resource.name.lower(), resource)
        return None if kept is resource else kept

    def find(self, name: str) -> R | None:
        """The resource of a name."""
        with self._lock:
            return self._resources.get(name.lower())

    def remove(self, name: str) -> R | None:
        """Forgets a resource and hands it back."""
        with self._lock:
            return self._resources.pop(name.lower(), None)

    def __iter__(self) -> Iterator[R]:
        with self._lock:
            return iter(list(self._resources.values()))


def read_tags(request: Mapping[str, Any]) -> dict[str, str]:
    """The tags that a request brings."""
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}


def list_page(
    catalog: Iterable[R],
    request: Mapping[str, Any],
    *,
    key: str,
    descending_by_default: bool = True,
) -> dict[str, Any]:
    """One page of a List operation, filtered and sorted under `key`, and with a token where more follow."""
    descending = request.get("SortOrder", "Descending" if descending_by_default else "Ascending") == "Descending"
    sort_by = request.get("SortBy", "CreationTime")
    found = sorted(
        ((sort_key(resource, sort_by), resource) for resource in catalog if matches(resource, request)),
        key=lambda pair: pair[0],
        reverse=descending,
    )
    if request.get("NextToken"):
        last = decode_token(request["NextToken"])
        found = [pair for pair in found if (pair[0] < last if descending else pair[0] > last)]
    size = int(request.get("MaxResults", DEFAULT_PAGE_SIZE))
    response: dict[str, Any] = {key: [resource.summarize() for _, resource in found[:size]]}
    if len(found) > size:
        response["NextToken"] = encode_token(found[size - 1][0])
    return response


def matches(resource: Resource, request: Mapping[str, Any]) -> bool:
    """Whether a resource passes every filter of a List request."""
    if request.keys() & UNMATCHED_FILTERS:
        return False
    if request.get("NameContains", "").lower() not in resource.name.lower():
        return False
    if request.get("StatusEquals", resource.status) != resource.status:
        return False
    return all(
        is_within(time, request.get(f"{name}After"), request.get(f"{name}Before"))
        for name, time in (("CreationTime", resource.creation_time), ("LastModifiedTime", resource.last_modified_time))
    )


def is_within(time: datetime, after: Any, before: Any) -> bool:
    """Whether a time lies between two others, where these are given."""
    return (after is None or time > to_datetime(after)) and (before is None or time < to_datetime(before))


def to_datetime(value: float | datetime) -> datetime:
    """A request's timestamp, which JSON 1.1 writes as seconds since 1970."""
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def sort_key(resource: Resource, sort_by: str) -> tuple[str, str]:
    """What a resource is sorted by; its name breaks ties, and its version those of one name."""
    name, _, version = resource.name.lower().partition("/")
    values = {
        "Name": name,
        "Status": resource.status,
        "CreationTime": resource.creation_time.isoformat(timespec="milliseconds"),
    }
    return values[sort_by], f"{name}/{version.zfill(_VERSION_DIGITS)}" if version else name


def encode_token(key: tuple[str, str]) -> str:
    """The place in a sorted list after which the next page begins."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def decode_token(token: str) -> tuple[str, str]:
    """The place a NextToken names; raises RequestRefusedError for one that is not ours."""
    try:
        value, name = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError) as error:
        raise RequestRefusedError(
            "NextToken is not one that an earlier answer gave; leave it out to start over."
        ) from error
    return str(value), str(name)
