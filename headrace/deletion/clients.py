"""AWS clients that wait when a service has too many requests, rather than give up a deletion half-way."""

from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

# Pauses that grow to 20 seconds: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_PATIENT: Final = Config(retries={"mode": "standard", "max_attempts": 10})


def make_session() -> boto3.Session:
    """A session of the account and the Region that your AWS clients use."""
    patient = botocore.session.get_session()
    patient.set_default_client_config(_PATIENT)
    return boto3.Session(botocore_session=patient)


def make_client(service: str) -> Any:
    """A client of a service."""
    return boto3.client(service, config=_PATIENT)
