"""The Region that a command works in: the one that the settings name, else that of your AWS clients."""

import json
import os
from typing import Any

from headrace import checkout


def use_region(region: str | None) -> None:
    """Make the AWS clients of this process use a Region; those of a local cloud have one that stands for all."""
    if region and not os.environ.get("AWS_ENDPOINT_URL"):
        os.environ["AWS_DEFAULT_REGION"] = region


def read_region(environment: str) -> str | None:
    """The Region that the checkout's settings of an environment name; what is wrong with settings, synthesis says."""
    try:
        context: Any = json.loads((checkout.CHECKOUT / "cdk.json").read_text())["context"]
        region = context["environments"][environment]["region"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return region if isinstance(region, str) else None
