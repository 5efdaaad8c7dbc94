"""The Lambda function: routes the events of the doors and caches expensive objects between requests."""

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from headrace.transformations.registry import find_transformation

from .cache import NormalizedImageCache
from .connections import Connections
from .environment import Environment
from .function_url import REQUEST_CONTEXT, FunctionUrlDoor
from .metrics import RequestLog
from .normalized_images import Maker
from .object_lambda import ObjectLambdaDoor
from .originals import AccessPoint
from .s3 import S3

_ENVIRONMENT = Environment.from_variables(os.environ)
_CONNECTIONS = Connections()
_S3 = S3(_CONNECTIONS, _ENVIRONMENT.place, _ENVIRONMENT.credentials)
_SOURCE = AccessPoint(_S3, _ENVIRONMENT.source)
_STORE = NormalizedImageCache(_S3, _ENVIRONMENT.cache_bucket)
_TRANSFORMATION = find_transformation(_ENVIRONMENT.transformation)
_MAKER = Maker(_TRANSFORMATION, _TRANSFORMATION.load(), _STORE if _ENVIRONMENT.keeps_all else None)
_LOG = RequestLog(sys.stdout)
_FUNCTION_URL = FunctionUrlDoor(source=_SOURCE, store=_STORE, maker=_MAKER)
_OBJECT_LAMBDA = ObjectLambdaDoor(s3=_S3, connections=_CONNECTIONS, source=_SOURCE, maker=_MAKER)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request, whichever door it came to."""
    started = time.perf_counter()
    if REQUEST_CONTEXT in event:
        door = "function_url"
        answer, outcome = _FUNCTION_URL.answer(event)
    else:
        door = "object_lambda"
        answer, outcome = _OBJECT_LAMBDA.answer(event)
    _LOG.write(door, outcome, time.perf_counter() - started)
    return answer
