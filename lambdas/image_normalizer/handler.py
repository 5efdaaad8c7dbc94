"""The Lambda function: tells the doors' events apart and keeps what is dear to make from one request to the next."""

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import boto3
import urllib3
from botocore.config import Config

from .cache import PictureCache
from .environment import Environment
from .function_url import REQUEST_CONTEXT, FunctionUrlDoor
from .metrics import RequestLog
from .object_lambda import ObjectLambdaDoor
from .originals import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS, AccessPoint

_ENVIRONMENT = Environment.from_variables(os.environ)
_CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    # Objects under a customer's key take no older signature in a presigned address.
    signature_version="s3v4",
)
_S3: Any = boto3.client("s3", config=_CONFIG)
_HTTP = urllib3.PoolManager(
    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
    retries=urllib3.Retry(total=ATTEMPTS - 1, redirect=False, backoff_factor=0.1),
)
_SOURCE = AccessPoint(_S3, _ENVIRONMENT.source)
_STORE = PictureCache(_S3, _ENVIRONMENT.cache_bucket)
_CACHE = _STORE if _ENVIRONMENT.keeps_all else None
_LOG = RequestLog(sys.stdout)
_FUNCTION_URL = FunctionUrlDoor(source=_SOURCE, store=_STORE, cache=_CACHE)
_OBJECT_LAMBDA = ObjectLambdaDoor(s3=_S3, http=_HTTP, source=_SOURCE, cache=_CACHE)


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
