"""The Lambda function: asks an endpoint every golden request, and puts to CloudWatch how many answers were wrong.

A function, because the state machine can neither send a photograph's bytes nor compare numbers with a tolerance.
"""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from headrace.golden.answers import UnansweredError, describe, find_wrong
from headrace.golden.contract import ENDPOINT_DIMENSION, METRIC, NAMESPACE
from headrace.golden.requests import MOST_BYTES, GoldenRequest, parse_requests

from .contract import Answer, Request, Variable

# A request that fails is a wrong answer: clients of the endpoint would have got it, too.
_ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=70)
_S3 = boto3.client("s3")
_CLOUDWATCH = boto3.client("cloudwatch")
_RUNTIME = boto3.client("sagemaker-runtime", config=_ONCE)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Ask one endpoint."""
    endpoint = str(event[Request.ENDPOINT])
    bucket, key = os.environ[Variable.BUCKET], os.environ[Variable.KEY]
    text = _S3.get_object(Bucket=bucket, Key=key)["Body"].read(MOST_BYTES + 1)
    requests = parse_requests(text, f"s3://{bucket}/{key}")
    wrong = find_wrong(requests, partial(_invoke, endpoint))
    _CLOUDWATCH.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": ENDPOINT_DIMENSION, "Value": endpoint}],
                "Value": len(wrong),
                "Unit": "Count",
                # Alarms may look every 10 seconds.
                "StorageResolution": 1,
            }
        ],
    )
    return {Answer.WRONG: len(wrong), Answer.REASON: describe(wrong, len(requests)) if wrong else ""}


def _invoke(endpoint: str, request: GoldenRequest) -> bytes:
    try:
        answer = _RUNTIME.invoke_endpoint(
            EndpointName=endpoint, ContentType=request.content_type, Accept=request.accept, Body=request.body
        )
        return bytes(answer["Body"].read())
    except (BotoCoreError, ClientError) as error:
        raise UnansweredError(str(error)) from error
