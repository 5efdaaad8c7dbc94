"""The Lambda function: keeps what a model was made from, and says what the model's version has to know of it."""

import os
from collections.abc import Mapping
from typing import Any

import boto3

from .container_images import describe, find_digests
from .contract import Answer, Request, Variable
from .records import Records

_RECORDS = Records(boto3.client("s3"), os.environ[Variable.BUCKET], os.environ[Variable.PREFIX])


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Keep the record of one training job."""
    digests = find_digests(event[Request.IMAGES], lambda region: boto3.client("ecr", region_name=region))
    fingerprint, record = _RECORDS.keep(event[Request.EXECUTION], event[Request.MODEL_DATA])
    return {
        Answer.FINGERPRINT: fingerprint,
        Answer.RECORD: record,
        Answer.IMAGES: describe(digests),
    }
