"""What several sections list: resources of SageMaker, and what they have logged."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError

from headrace.local.page.answers import PageError
from headrace.local.page.section import FindClient, is_unserved

MOST_LISTED: Final = 50
_LINES: Final = 200
_NO_LOG: Final = "ResourceNotFoundException"
# SageMaker's names for what is not there; most of its operations have the first one.
_MISSING: Final = ("ValidationException", "ResourceNotFound")


@dataclass(frozen=True)
class Kind:
    """A kind of resource that the page shows.

    Args:
        word: What its paths call it.
        name: What SageMaker's operations call it.
        noun: What people call one.
        log_group: The group of its log, or what the name of each resource's own begins with.
        has_own_group: Whether each has its own group.
    """

    word: str
    name: str
    noun: str
    log_group: str
    has_own_group: bool = False

    def locate_log(self, name: str) -> tuple[str, str]:
        """The log group of a resource, and what the names of its streams begin with."""
        return (f"{self.log_group}/{name}", "") if self.has_own_group else (self.log_group, f"{name}/")


TRAINING: Final = Kind("training", "TrainingJob", "training job", "/aws/sagemaker/TrainingJobs")
PROCESSING: Final = Kind("processing", "ProcessingJob", "processing job", "/aws/sagemaker/ProcessingJobs")
TRANSFORM: Final = Kind("transform", "TransformJob", "transform job", "/aws/sagemaker/TransformJobs")
ENDPOINT: Final = Kind("endpoint", "Endpoint", "endpoint", "/aws/sagemaker/Endpoints", has_own_group=True)
JOB_KINDS: Final = (TRAINING, PROCESSING, TRANSFORM)


@dataclass(frozen=True)
class Listed:
    """One resource in a list.

    Args:
        kind: Of which kind it is.
        name: Its name.
        status: Its status.
        created: When it was made.
        changed: When that last changed.
    """

    kind: Kind
    name: str
    status: str
    created: datetime
    changed: datetime | None

    @property
    def is_busy(self) -> bool:
        """Whether it will change by itself."""
        return self.status.endswith("ing") or self.status in ("InProgress", "SystemUpdating")


def list_resources(clients: FindClient, kind: Kind) -> list[Listed] | None:
    """The latest resources of a kind; None where the local cloud does not have the kind."""
    operation = getattr(clients("sagemaker"), xform_name(f"List{kind.name}s"))
    try:
        answer = operation(SortBy="CreationTime", SortOrder="Descending", MaxResults=MOST_LISTED)
    except ClientError as error:
        if is_unserved(error):
            return None
        raise
    (summaries,) = (value for value in answer.values() if isinstance(value, list))
    return [
        Listed(
            kind=kind,
            name=found[f"{kind.name}Name"],
            status=found[f"{kind.name}Status"],
            created=found["CreationTime"],
            changed=found.get("LastModifiedTime"),
        )
        for found in summaries
    ]


def describe(clients: FindClient, kind: Kind, name: str) -> Mapping[str, Any]:
    """What SageMaker says of a resource.

    Raises:
        PageError: If there is none of that name.
    """
    operation = getattr(clients("sagemaker"), xform_name(f"Describe{kind.name}"))
    with missing_as(f"there is no {kind.noun} {name!r}"):
        found: Mapping[str, Any] = operation(**{f"{kind.name}Name": name})
    return found


@contextmanager
def missing_as(message: str) -> Iterator[None]:
    """Say of what SageMaker does not find, or takes for a name of nothing, that it is not there.

    Raises:
        PageError: With the message.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        raise PageError(404, message) from None


@dataclass(frozen=True)
class LogPage:
    """Some lines of a log.

    Args:
        lines: When each was written, and its text.
        streams: The names of the log's streams.
        stream: The one that the lines are of.
        older: What asks for the lines before these.
        newer: What asks for those after; empty at the end.
    """

    lines: Sequence[tuple[datetime, str]] = ()
    streams: Sequence[str] = ()
    stream: str = ""
    older: str = ""
    newer: str = ""


def read_log_page(clients: FindClient, kind: Kind, name: str, stream: str = "", token: str = "") -> LogPage:
    """The last lines that a resource has logged, or those that a token asks for."""
    group, beginning = kind.locate_log(name)
    streams = _list_streams(clients, group, beginning)
    if not streams:
        return LogPage()
    chosen = stream if stream in streams else streams[-1]
    asked = {"nextToken": token} if token else {}
    answer = clients("logs").get_log_events(
        logGroupName=group, logStreamName=chosen, limit=_LINES, startFromHead=False, **asked
    )
    return LogPage(
        lines=[(_read_time(event), event["message"]) for event in answer["events"]],
        streams=streams,
        stream=chosen,
        older=answer["nextBackwardToken"] if len(answer["events"]) == _LINES else "",
        newer=answer["nextForwardToken"] if token else "",
    )


def iterate_log(clients: FindClient, kind: Kind, name: str, most: int) -> Iterator[tuple[datetime, str]]:
    """When each line of a log was written, and its text, from the first on.

    Args:
        clients: Finds the client of a service.
        kind: Of which kind the resource is.
        name: Its name.
        most: How many lines of each stream to read.
    """
    group, beginning = kind.locate_log(name)
    for stream in _list_streams(clients, group, beginning):
        answer = clients("logs").get_log_events(
            logGroupName=group, logStreamName=stream, limit=most, startFromHead=True
        )
        yield from ((_read_time(event), event["message"]) for event in answer["events"])


def _list_streams(clients: FindClient, group: str, beginning: str) -> list[str]:
    prefix = {"logStreamNamePrefix": beginning} if beginning else {}
    try:
        found = clients("logs").describe_log_streams(logGroupName=group, **prefix)["logStreams"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _NO_LOG:
            raise
        return []
    return [stream["logStreamName"] for stream in found]


def _read_time(event: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
