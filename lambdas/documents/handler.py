"""The Lambda function: counts the pages of documents, unpacks what Textract has found, and gathers all results."""

import os
from collections.abc import Mapping
from typing import Any

import boto3

from headrace.documents.contract import Action, Request

from .contract import Variable
from .gathering import gather
from .store import Store
from .surveying import Limits, survey
from .unpacking import unpack

_S3 = boto3.client("s3")


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do one of the three."""
    store = Store(_S3, raw=os.environ[Variable.RAW], work=os.environ[Variable.WORK])
    match event[Request.ACTION]:
        case Action.SURVEY:
            limits = Limits.from_environment(os.environ)
            return survey(store, limits, event[Request.PREFIX], event[Request.NAME], event[Request.STARTED])
        case Action.UNPACK:
            return unpack(store, event[Request.FOLDER], event[Request.JOB], event[Request.PIECE_BYTES])
        case Action.GATHER:
            return gather(store, event[Request.NAME], event.get(Request.MAP_RESULTS))
    raise ValueError(f"there is no action {event[Request.ACTION]!r}")
