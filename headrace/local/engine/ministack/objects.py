"""What MiniStack's IAM is not told about requests to S3: condition keys, and which version they ask for."""

import contextvars
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import unescape

from headrace.local.engine.access.further import describe_creation, describe_object_tags, describe_write

# The actions whose requests have headers that are condition keys; a part of an upload has none.
_WRITING: Final = ("s3:PutObject", "s3:CreateBucket")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html
_OVERWRITING: Final = ("s3:PutObject", "s3:DeleteObject")
_TAGGING: Final = ("s3:PutObjectTagging", "s3:PutObjectVersionTagging")
_TAG: Final = "s3:existingobjecttag/"
_WRITTEN_TAG: Final = re.compile(r"<Key>([^<]*)</Key>\s*<Value>([^<]*)</Value>")
_OBJECTS: Final = "arn:aws:s3:::"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the request to S3 that is being decided is about, besides its bucket and its key.

    Args:
        version: The version that is read, of the source of a copy if there is one.
        upload: The upload that the request is a part of.
    """

    version: str = ""
    upload: str = ""


asked: contextvars.ContextVar[Asked] = contextvars.ContextVar("asked", default=Asked())  # noqa: B039 (frozen)


def install_object_keys(actions: Any) -> None:
    """Teach MiniStack's IAM the condition keys that headers of S3 give."""
    actions.request_tag_context = _describe_tagging(actions.request_tag_context)
    actions.s3_service_context = _add_headers(actions, actions.s3_service_context)


def describe_object(key: str, action: str, resource: str) -> Any:
    """The value of a condition key that describes the object itself; nothing for others.

    Args:
        key: The condition key, in lower case.
        action: What is done with it.
        resource: Its ARN.
    """
    version = asked.get().version
    if key == "s3:versionid":
        return version or None
    if not key.startswith(_TAG) or action in _OVERWRITING or not resource.startswith(_OBJECTS):
        return None
    s3: Any = importlib.import_module("ministack.services.s3")
    bucket, _, name = resource.removeprefix(_OBJECTS).partition("/")
    tags = s3.object_tags_for_condition(bucket, name, {"versionId": [version]} if version else {})
    return next((value for tag, value in tags.items() if tag.lower() == key.removeprefix(_TAG)), None)


def _describe_tagging(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def run(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context = describe(service, action, body, parameters)
        if action not in _TAGGING:
            return context
        tags = {
            unescape(name): unescape(value) for name, value in _WRITTEN_TAG.findall(body.decode("utf-8", "replace"))
        }
        return {**context, **describe_object_tags(tags)}

    return run


def _add_headers(actions: Any, describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def run(
        action: str, query: Mapping[str, Any] | None, path: str = "", headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        sent, parameters = headers or {}, query or {}
        upload = actions._query_param(parameters, "uploadId")
        source = actions._s3_source_object(sent)
        version = source[1] if source else actions._query_param(parameters, "versionId")
        asked.set(Asked(version=version, upload=upload))
        written = describe_write(sent) if action in _WRITING and not upload else {}
        if action == "s3:PutObject":
            is_part = "partNumber" in parameters
            written |= describe_creation(
                sent, part=is_part, ends=bool(upload) and not is_part, begins="uploads" in parameters
            )
        return {**describe(action, query, path, headers), **written}

    return run
