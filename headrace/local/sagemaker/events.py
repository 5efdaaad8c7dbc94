"""What SageMaker says on the event bus.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

SOURCE: Final = "aws.sagemaker"
PACKAGE_CHANGED: Final = "SageMaker Model Package State Change"

Publish = Callable[[str, Mapping[str, Any], str], None]
"""Puts an event on the default bus: its detail type, its detail, and the ARN of what it is about."""


def publish_nowhere(_detail_type: str, _detail: Mapping[str, Any], _arn: str) -> None:
    """For machines without an event bus."""
