"""Where Lambda functions are to run."""

from enum import StrEnum


class BundleTarget(StrEnum):
    """Where the code is to run: on Lambda's Graviton, or under this Python in the local cloud."""

    GRAVITON = "graviton"
    HOST = "host"
