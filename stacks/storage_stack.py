"""Where data lives: raw rows and photographs come in, work data goes out, and every access is logged."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import contract
from lambdas.image_normalizer import contract as normalizer
from stacks.constructs.buckets import AccessLogBucket, DataBucket, DataBucketDefaults
from stacks.constructs.placeholder import Placeholder
from stacks.settings.storage import StorageSettings


class StorageStack(Stack):
    """The raw and work buckets, private and encrypted, whose large objects move to Intelligent-Tiering at once.

    What the settings name exists: nothing here changes it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StorageSettings,
        key: kms.IKey | None,
        announces_new_data: bool,
        checkpoint_days: int,
        captured_days: int,
        retain_data: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.key = key

        logs = (
            AccessLogBucket(self, "AccessLogs", settings=settings, retain_data=retain_data)
            if settings.makes_buckets
            else None
        )
        defaults = DataBucketDefaults(access_logs=logs, settings=settings, key=key, retain_data=retain_data)
        self.raw = self._find_or_make("Raw", settings.existing_raw_bucket, defaults)
        if announces_new_data and isinstance(self.raw, DataBucket):
            self.raw.announce_objects()
        self.work = self._find_or_make("Work", settings.existing_work_bucket, defaults)
        if isinstance(self.work, DataBucket):
            self.work.add_lifecycle_rule(prefix=normalizer.CACHE_PREFIX, expiration=Duration.days(settings.cache_days))
            # Also where these are off: what is there from before would stay for ever.
            for prefix, days in {
                contract.CHECKPOINTS_PREFIX: checkpoint_days,
                contract.CAPTURED_PREFIX: captured_days,
            }.items():
                self.work.add_lifecycle_rule(prefix=prefix, expiration=Duration.days(days))
        if not settings.makes_buckets:
            Placeholder(self, "Placeholder")

        CfnOutput(self, contract.RAW_BUCKET_OUTPUT, value=self.raw.bucket_name)
        CfnOutput(self, contract.WORK_BUCKET_OUTPUT, value=self.work.bucket_name)

    def _find_or_make(self, construct_id: str, existing: str | None, defaults: DataBucketDefaults) -> s3.IBucket:
        if existing:
            return s3.Bucket.from_bucket_name(self, construct_id, existing)
        return DataBucket(self, construct_id, defaults=defaults)
