"""What SageMaker says on the event bus.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

SOURCE: Final = "aws.sagemaker"
PACKAGE_CHANGED: Final = "SageMaker Model Package State Change"

Publish = Callable[[str, Mapping[str, Any], str], None]
"""Puts an event on the default bus: its detail type, its detail, and the ARN of what it is about."""


def publish_nowhere(_detail_type: str, _detail: Mapping[str, Any], _arn: str) -> None:
    """For machines without an event bus."""


def name_change(kind: str) -> str:
    """The detail type that says that a resource of a kind, such as TrainingJob, has another status."""
    return f"SageMaker {_spell(kind, ' ')} State Change"


def write_status(status: str) -> str:
    """The status of an endpoint as events spell it: IN_SERVICE."""
    return _spell(status, "_").upper()


def write_detail(described: Any) -> Any:
    """What Describe answers, as the detail of an event: with times in milliseconds."""
    if isinstance(described, datetime):
        return round(described.timestamp() * 1000)
    if isinstance(described, Mapping):
        return {key: write_detail(value) for key, value in described.items()}
    if isinstance(described, list | tuple):
        return [write_detail(value) for value in described]
    return described


def _spell(words: str, between: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", between, words)
