"""The Region that a command works in: the one that the settings name, else that of your AWS clients."""

import os

from headrace import checkout
from headrace.tools import ToolError


def use_region(region: str | None) -> None:
    """Make the AWS clients of this process use a Region; those of a local cloud have one that stands for all."""
    if region and not os.environ.get("AWS_ENDPOINT_URL"):
        os.environ["AWS_DEFAULT_REGION"] = region


def read_region(environment: str) -> str | None:
    """The Region that the checkout's settings of an environment name, as their own program reads them.

    Raises:
        ToolError: With what is wrong with the settings.
    """
    if os.environ.get("AWS_ENDPOINT_URL") or not (checkout.CHECKOUT / "cdk.json").is_file():
        return None
    try:
        return checkout.read_settings_region(environment)
    except checkout.RefusedSettingsError as error:
        raise ToolError(f"cdk.json does not say in which Region '{environment}' is:\n{error}") from None
