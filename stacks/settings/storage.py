"""The settings of what keeps data: buckets, their key, the repositories of container images."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from stacks.settings.existing import BucketName, KeyArn, RegistryAddress
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Change, Days, Section, Setting


class EncryptionSettings(Section):
    """Whose key encrypts: AWS's own at no cost, or one of the customer's that rotates every year."""

    customer_key: Annotated[
        bool,
        Setting(
            "whether a key of yours, rotated every year, encrypts everything that is stored, instead of AWS's own, "
            "apart from FSx for Lustre on `SCRATCH_2`, which takes none",
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
    existing_key: Annotated[
        KeyArn | None,
        Allowed("the ARN of a key in the same Region, or null"),
        Setting(
            "a key that somebody else keeps, instead of one of the platform's own ([what it must allow](existing.md))",
            cost="0.03 per 10,000 requests",
            change=Change(
                "encrypts buckets and logs in place from then on; file systems and the notebook are replaced, empty",
                loses=("AWS::EFS::FileSystem", "AWS::FSx::FileSystem", "AWS::SageMaker::NotebookInstance"),
            ),
        ),
    ] = None

    @model_validator(mode="after")
    def _check_one_key(self) -> Self:
        if self.customer_key and self.existing_key:
            raise ValueError("customer_key makes a key, and existing_key names one; leave customer_key at false")
        return self


class StorageSettings(Section):
    """The buckets: the platform's own, and how long they keep what is no longer read, or somebody else's."""

    existing_raw_bucket: Annotated[
        BucketName | None,
        Allowed("the name of a bucket in the same account and Region, or null"),
        Setting(
            "a bucket that somebody else keeps for raw data, instead of a new one ([what it must allow](existing.md))",
            cost=NOTHING,
            change=Change(
                "the other bucket has the data that it has; copy before what is to be read from it",
                loses=("AWS::S3::AccessPoint", "AWS::S3::Bucket"),
            ),
        ),
    ] = None
    existing_work_bucket: Annotated[
        BucketName | None,
        Allowed("the name of a bucket in the same account and Region, or null"),
        Setting(
            "the same for what executions leave",
            cost=NOTHING,
            change=Change(
                "the other bucket has the data that it has; endpoints go on serving models that they have loaded",
                loses=("AWS::S3::Bucket",),
            ),
        ),
    ] = None

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

    @property
    def makes_buckets(self) -> bool:
        """Whether a bucket is the platform's own."""
        return not (self.existing_raw_bucket and self.existing_work_bucket)

    @model_validator(mode="after")
    def _check_two_buckets(self) -> Self:
        if self.existing_raw_bucket and self.existing_raw_bucket == self.existing_work_bucket:
            raise ValueError("existing_raw_bucket and existing_work_bucket are one; give two, as access differs")
        return self


class RegistrySettings(Section):
    """Where container images are, and how many of each."""

    existing: Annotated[
        RegistryAddress | None,
        Allowed(
            "a registry of ECR and a prefix, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/teams/vision`, in "
            "the same Region, or null"
        ),
        Setting(
            "where repositories are that somebody else keeps, instead of new ones: `PREFIX/NAME` for each name of "
            "`headrace containers list` ([what they must allow](existing.md))",
            cost=NOTHING,
            change=Change(
                "push the container images to the other repositories first; endpoints go on serving, but replace no "
                "instance once their container image is gone",
                loses=("AWS::ECR::Repository",),
            ),
        ),
    ] = None

    container_images_kept: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting(
            "how many container images each repository keeps; an endpoint needs its own as long as it lives",
            cost="0.10 per GB and month",
            change=IN_PLACE,
        ),
    ] = 10
