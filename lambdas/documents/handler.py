"""The Lambda function: counts the pages of documents, unpacks what Textract has found, and gathers all results."""

import os
from collections.abc import Mapping
from typing import Any

import boto3

from headrace.documents.contract import Action, Request

from .classes import list_texts
from .contract import Variable
from .gathering import gather
from .store import Store
from .surveying import Limits, survey
from .unpacking import Sizes, unpack

_S3 = boto3.client("s3")


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do one of the four."""
    store = Store(_S3, raw=os.environ[Variable.RAW], work=os.environ[Variable.WORK])
    match event[Request.ACTION]:
        case Action.SURVEY:
            limits = Limits.from_environment(os.environ)
            return survey(store, limits, event[Request.PREFIX], event[Request.NAME], event[Request.STARTED])
        case Action.UNPACK:
            sizes = Sizes(piece=event[Request.PIECE_BYTES], text=event[Request.TEXT_BYTES])
            return unpack(store, event[Request.FOLDER], event[Request.JOB], sizes)
        case Action.LIST_TEXTS:
            return list_texts(store, event[Request.NAME])
        case Action.GATHER:
            classification = event.get(Request.CLASSIFICATION)
            return gather(store, event[Request.NAME], event.get(Request.MAP_RESULTS), classification)
    raise ValueError(f"there is no action {event[Request.ACTION]!r}")
