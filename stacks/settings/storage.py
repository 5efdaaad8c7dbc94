"""The settings of what keeps data: buckets, their key, the repositories of container images."""

from typing import Annotated

from pydantic import Field

from stacks.settings.section import Days, Section


class EncryptionSettings(Section):
    """Whose key encrypts: AWS's own at no cost, or one of the customer's that rotates every year."""

    customer_key: bool


class StorageSettings(Section):
    """How long the buckets keep what nobody reads any more."""

    noncurrent_version_days: Days
    unfinished_upload_days: Days
    access_log_days: Days
    cache_days: Days


class RegistrySettings(Section):
    """How many images each repository keeps."""

    images_kept: Annotated[int, Field(ge=1, le=1000)]
