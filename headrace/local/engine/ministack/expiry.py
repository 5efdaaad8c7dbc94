"""What MiniStack is taught to remove when its time has come: events of logs, and objects by the rules of their buckets.

CloudWatch Logs and S3 do it some time after midnight UTC; here it is done at midnight.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Final

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from headrace.local.clock import CLOCK
from headrace.local.engine.ministack.retention import BUCKET
from headrace.local.engine.moving import Fired
from headrace.wording import counted

_DAY_SECONDS: Final = 86_400

# S3 answers with a size of 0 where a filter of several parts names none.
_ABOVE: Final = "ObjectSizeGreaterThan"
_BELOW: Final = "ObjectSizeLessThan"

Rule = Mapping[str, Any]
Version = Mapping[str, Any]


class Expiry:
    """What is removed at midnight.

    Args:
        logs: MiniStack's CloudWatch Logs.
        s3: MiniStack's S3.
    """

    def __init__(self, logs: Any, s3: Any) -> None:
        self._logs = logs
        self._s3 = s3
        self._done = CLOCK.now().date()

    def find_due(self) -> float | None:
        """In how many seconds it is midnight."""
        return _DAY_SECONDS - CLOCK.time() % _DAY_SECONDS

    def tick(self) -> list[Fired]:
        """Remove what has expired, if a day is over; how much of each group and bucket."""
        now = CLOCK.now()
        if now.date() == self._done:
            return []
        self._done = now.date()
        return [*self._expire_events(now), *self._expire_objects(now)]

    def _expire_events(self, now: datetime) -> Iterator[Fired]:
        for (_, _, name), group in list(self._logs._log_groups._data.items()):
            if group.get("retentionInDays") is None:
                continue
            oldest = (now - timedelta(days=group["retentionInDays"])).timestamp() * 1000
            if removed := self._remove_events(group, oldest):
                yield Fired(now, f"log group {name}", f"{counted(removed, 'event')} expired")

    def _remove_events(self, group: Mapping[str, Any], oldest: float) -> int:
        removed = 0
        with self._logs._log_events_lock:
            for stream in group["streams"].values():
                kept = [event for event in stream["events"] if event["timestamp"] >= oldest]
                removed += len(stream["events"]) - len(kept)
                stream["events"] = kept
        return removed

    def _expire_objects(self, now: datetime) -> Iterator[Fired]:
        for bucket in list(self._s3._buckets):
            rules = self._s3._bucket_lifecycle.get(bucket)
            removed = sum(self._apply(bucket, rule, now) for rule in rules) if isinstance(rules, list) else 0
            if removed:
                yield Fired(now, f"bucket {bucket}", f"expired objects, versions and uploads: {removed}")

    def _apply(self, bucket: str, rule: Rule, now: datetime) -> int:
        prefix = _find_prefix(rule)
        if rule.get("Status") != "Enabled" or prefix is None:
            return 0
        removed = 0
        for version in self._list_noncurrent(bucket, rule, prefix, now):
            self._s3._delete_object(bucket, version[0], {}, {"versionId": [version[1]]})
            removed += 1
        for key in self._list_expired(bucket, rule, prefix, now):
            self._s3._delete_object(bucket, key)
            removed += 1
        return removed + self._abort_uploads(bucket, rule, prefix, now)

    def _list_expired(self, bucket: str, rule: Rule, prefix: str, now: datetime) -> list[str]:
        days = rule.get("Expiration", {}).get("Days")
        objects = self._s3._buckets[bucket]["objects"]
        return [
            key
            for key, record in list(objects.items())
            if days and key.startswith(prefix) and _is_older(record["last_modified"], days, now)
        ]

    def _list_noncurrent(self, bucket: str, rule: Rule, prefix: str, now: datetime) -> list[tuple[str, str]]:
        expiration = rule.get("NoncurrentVersionExpiration", {})
        days = expiration.get("NoncurrentDays")
        if not days:
            return []
        found = [
            (key, version["version_id"])
            for (of, key), versions in list(self._s3._object_versions.items())
            if of == bucket and key.startswith(prefix)
            for version, successor in _pair(versions, kept=expiration.get("NewerNoncurrentVersions", 0))
            if _is_older(successor["last_modified"], days, now)
        ]
        return [*found, *(self._list_lone_markers(bucket, prefix, {*found}) if rule.get("Expiration") else ())]

    def _list_lone_markers(self, bucket: str, prefix: str, gone: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Delete markers of which nothing else is left, which S3 removes where a rule expires objects."""
        for (of, key), versions in list(self._s3._object_versions.items()):
            left = [version for version in versions if (key, version["version_id"]) not in gone]
            if of == bucket and key.startswith(prefix) and len(left) == 1 and left[0].get("is_delete_marker"):
                yield key, left[0]["version_id"]

    def _abort_uploads(self, bucket: str, rule: Rule, prefix: str, now: datetime) -> int:
        days = rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation")
        begun = [
            (upload_id, upload["key"])
            for upload_id, upload in list(self._s3._multipart_uploads.items())
            if days
            and upload["bucket"] == bucket
            and upload["key"].startswith(prefix)
            and _is_older(upload["created"], days, now)
        ]
        for upload_id, key in begun:
            self._s3._abort_multipart_upload(bucket, key, {"uploadId": [upload_id]})
        return len(begun)


def install_expiry() -> Expiry:
    """Teach MiniStack to remove what has expired, and to keep the rules of buckets that stacks make."""
    logs: Any = importlib.import_module("ministack.services.cloudwatch_logs")
    s3: Any = importlib.import_module("ministack.services.s3")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS
    handlers[BUCKET] = {
        **handlers[BUCKET],
        "create": _keep_rules(s3, handlers[BUCKET]["create"], properties_at=1),
        "update": _keep_rules(s3, handlers[BUCKET]["update"], properties_at=2),
    }
    s3._put_bucket_lifecycle = keep_prefixes(s3, s3._put_bucket_lifecycle)
    return Expiry(logs, s3)


def keep_prefixes(s3: Any, put: Callable[[str, bytes], Any]) -> Callable[[str, bytes], Any]:
    """Have MiniStack keep the prefix that a rule has outside of a filter, which S3 still takes.

    Args:
        s3: MiniStack's S3.
        put: Its PutBucketLifecycleConfiguration.
    """

    def run(bucket: str, body: bytes) -> Any:
        answer = put(bucket, body)
        rules = s3._bucket_lifecycle.get(bucket)
        if answer[0] == HTTPStatus.OK and isinstance(rules, list):
            for rule, given in zip(rules, fromstring(body).iterfind("{*}Rule"), strict=True):
                if (prefix := given.findtext("{*}Prefix")) is not None:
                    rule["Filter"] = {"Prefix": prefix}
        return answer

    return run


def _keep_rules(s3: Any, provision: Callable[..., Any], properties_at: int) -> Callable[..., Any]:
    """MiniStack's CloudFormation leaves the lifecycle of a bucket out."""

    def run(*arguments: Any) -> Any:
        name, attributes = provision(*arguments)
        given = arguments[properties_at].get("LifecycleConfiguration", {}).get("Rules", [])
        if given:
            s3._bucket_lifecycle[name] = [read_rule(rule, number) for number, rule in enumerate(given, 1)]
        else:
            s3._bucket_lifecycle.pop(name, None)
        return name, attributes

    return run


def read_rule(given: Rule, number: int) -> dict[str, Any]:
    """A rule of a template as the API has it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html
    """
    rule: dict[str, Any] = {"ID": given.get("Id", f"rule-{number}"), "Status": given["Status"]}
    rule["Filter"] = _read_filter(given)
    if "ExpirationInDays" in given:
        rule["Expiration"] = {"Days": int(given["ExpirationInDays"])}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in given:
            rule[name] = {key: int(value) for key, value in given[name].items()}
    if transitions := given.get("Transitions"):
        rule["Transitions"] = [
            {"Days": int(each.get("TransitionInDays", 0)), "StorageClass": each["StorageClass"]} for each in transitions
        ]
    return rule


def _read_filter(given: Rule) -> dict[str, Any]:
    prefix = {"Prefix": given.get("Prefix", "")}
    more = {name: int(given[name]) for name in (_ABOVE, _BELOW) if name in given}
    tags = {"Tags": given["TagFilters"]} if given.get("TagFilters") else {}
    return {"And": {**prefix, **tags, **more}} if tags or more else prefix


def _find_prefix(rule: Rule) -> str | None:
    """What the keys of the objects that a rule is for begin with; None if it is for fewer of them, by tag or size."""
    given = rule.get("Filter", {})
    wanted = {**given, **given.get("And", {})}
    if wanted.keys() - {"And", "Prefix", _ABOVE} or wanted.get(_ABOVE):
        return None
    return str(wanted.get("Prefix", ""))


def _pair(versions: Iterable[Version], kept: int) -> Iterator[tuple[Version, Version]]:
    """Each version of an object that is not the current one or among the newest of the others, and what followed it."""
    pairs = [*pairwise(list(versions))]
    return iter(pairs[: max(0, len(pairs) - kept)])


def _is_older(stamp: str, days: int, now: datetime) -> bool:
    return datetime.fromisoformat(stamp) <= now - timedelta(days=days)
