"""What MiniStack's IAM is not told about requests to S3: condition keys, and which version they ask for."""

import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.engine.access.further import describe_write

# The actions whose requests have headers that are condition keys; a part of an upload has none.
_WRITING: Final = ("s3:PutObject", "s3:CreateBucket")


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
    actions.s3_service_context = _add_headers(actions, actions.s3_service_context)


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
        return {**describe(action, query, path, headers), **written}

    return run
