"""The settings of what keeps data: buckets, their key, the repositories of container images."""

from typing import Annotated

from pydantic import Field

from stacks.settings.section import IN_PLACE, Change, Days, Section, Setting


class EncryptionSettings(Section):
    """Whose key encrypts: AWS's own at no cost, or one of the customer's that rotates every year."""

    customer_key: Annotated[
        bool,
        Setting(
            "whether a key of yours, rotated every year, encrypts everything that is stored, instead of AWS's own",
            cost="1 a month, and 0.03 per 10,000 requests",
            change=Change(
                "encrypts buckets and logs in place from then on; file systems and the notebook are replaced, empty",
                loses=(
                    "AWS::EFS::FileSystem",
                    "AWS::FSx::FileSystem",
                    "AWS::KMS::Key",
                    "AWS::SageMaker::NotebookInstance",
                ),
            ),
        ),
    ] = False


class StorageSettings(Section):
    """How long the buckets keep what is no longer read."""

    noncurrent_version_days: Annotated[
        Days,
        Setting(
            "how long an object that was overwritten or deleted can be brought back",
            cost="0.023 per GB and month of what is kept",
            change=IN_PLACE,
        ),
    ] = 7
    unfinished_upload_days: Annotated[
        Days,
        Setting(
            "how long the parts of an upload that never ended are kept",
            cost="0.023 per GB and month of what is kept",
            change=IN_PLACE,
        ),
    ] = 1
    access_log_days: Annotated[
        Days,
        Setting(
            "how long the buckets' access logs are kept",
            cost="0.023 per GB and month of what is kept",
            change=IN_PLACE,
        ),
    ] = 30
    cache_days: Annotated[
        Days,
        Setting(
            "how long the normalizer's cache keeps normalized images",
            cost="0.023 per GB and month of what is kept",
            change=IN_PLACE,
        ),
    ] = 7


class RegistrySettings(Section):
    """How many container images each repository keeps."""

    container_images_kept: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting(
            "how many container images each repository keeps; an endpoint needs its own as long as it lives",
            cost="0.10 per GB and month",
            change=IN_PLACE,
        ),
    ] = 10
