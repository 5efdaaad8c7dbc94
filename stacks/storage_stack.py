"""Where data lives: raw rows and photographs come in, work data goes out, and every access is logged."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from headrace import contract
from lambdas.image_normalizer import contract as normalizer
from stacks.constructs.buckets import AccessLogBucket, DataBucket, DataBucketDefaults
from stacks.settings.storage import StorageSettings


class StorageStack(Stack):
    """The raw and work buckets, private and encrypted, whose large objects move to Intelligent-Tiering at once."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StorageSettings,
        key: kms.IKey | None,
        retain_data: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.key = key

        logs = AccessLogBucket(self, "AccessLogs", settings=settings, retain_data=retain_data)
        defaults = DataBucketDefaults(access_logs=logs, settings=settings, key=key, retain_data=retain_data)
        self.raw = DataBucket(self, "Raw", defaults=defaults)
        self.work = DataBucket(self, "Work", defaults=defaults)
        self.work.add_lifecycle_rule(prefix=normalizer.CACHE_PREFIX, expiration=Duration.days(settings.cache_days))

        CfnOutput(self, contract.RAW_BUCKET_OUTPUT, value=self.raw.bucket_name)
        CfnOutput(self, contract.WORK_BUCKET_OUTPUT, value=self.work.bucket_name)
