"""The Lambda function that Textract's notices come to: the task that waits for each is told that its job has ended.

A job may end before the state machine has kept the token of the task that waits for it. This waits for that a little,
and then fails: Lambda calls it again one and three minutes later.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from headrace.documents.contract import TOKENS_FOLDER, name_folder

from .contract import JOB_STATUS, TASK, Variable

logger = logging.getLogger(__name__)
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.5
_NO_LONGER_WAITED_FOR: Final = ("InvalidToken", "TaskDoesNotExist", "TaskTimedOut")
_S3 = boto3.client("s3")
_STATES = boto3.client("stepfunctions")


class NoTokenError(Exception):
    """A job whose notice no task waits for yet."""


def handle(event: Mapping[str, Any], _context: object) -> None:
    """Pass the notices of one call on."""
    for record in event["Records"]:
        pass_on(json.loads(record["Sns"]["Message"]), _S3, _STATES)


def pass_on(notice: Mapping[str, Any], s3: Any, states: Any, pause: float = _PAUSE_SECONDS) -> None:
    """Tell the task that waits for a job how the job has ended.

    Args:
        notice: What Textract says.
        s3: The client of S3.
        states: The client of Step Functions.
        pause: How long to wait between looks for the token, in seconds.

    Raises:
        NoTokenError: If no task waits for it.
    """
    place = {
        "Bucket": os.environ[Variable.WORK],
        "Key": f"{name_folder(notice['JobTag'])}{TOKENS_FOLDER}{notice['JobId']}",
    }
    token = _read_token(s3, place, pause)
    try:
        states.send_task_success(taskToken=token, output=json.dumps({JOB_STATUS: notice["Status"]}))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_LONGER_WAITED_FOR:
            raise
        logger.warning("notice_too_late job=%s", notice["JobId"])
    s3.delete_object(**place)


def _read_token(s3: Any, place: Mapping[str, str], pause: float) -> str:
    for number in range(_TRIES):
        if number:
            time.sleep(pause)
        # What is not there cannot be read without a right to list the whole bucket.
        if s3.list_objects_v2(Bucket=place["Bucket"], Prefix=place["Key"])["KeyCount"]:
            kept = json.load(s3.get_object(**place)["Body"])
            # Step Functions writes a body that is text as a string of JSON.
            return str((json.loads(kept) if isinstance(kept, str) else kept)[TASK])
    raise NoTokenError(f"no task waits for {place['Key']} yet")
