"""S3 buckets with the house's defaults."""

from dataclasses import dataclass
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.removal import choose_removal_policy
from stacks.settings.storage import StorageSettings


class AccessLogBucket(s3.Bucket):
    """Where S3 delivers the access logs of the other buckets; they expire by themselves.

    S3 delivers logs to buckets with its own encryption only.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StorageSettings, retain_data: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=choose_removal_policy(retain_data=retain_data),
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(settings.access_log_days),
                    noncurrent_version_expiration=Duration.days(settings.noncurrent_version_days),
                    abort_incomplete_multipart_upload_after=Duration.days(settings.unfinished_upload_days),
                )
            ],
        )


@dataclass(frozen=True, kw_only=True)
class DataBucketDefaults:
    """What all data buckets have in common."""

    access_logs: s3.IBucket | None
    settings: StorageSettings
    key: kms.IKey | None
    retain_data: bool


class DataBucket(s3.Bucket):
    """A private, versioned bucket; objects of 128 KB and more move to Intelligent-Tiering the day after they arrive.

    S3's lifecycle leaves smaller ones in Standard, at the price that Intelligent-Tiering has for them:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html.
    The opt-in archive tiers stay off: FSx for Lustre and plain reads cannot open an archived object.
    """

    def __init__(self, scope: Construct, construct_id: str, *, defaults: DataBucketDefaults) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if defaults.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=defaults.key,
            bucket_key_enabled=defaults.key is not None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=choose_removal_policy(retain_data=defaults.retain_data),
            server_access_logs_bucket=defaults.access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(0)
                        )
                    ],
                    noncurrent_version_expiration=Duration.days(defaults.settings.noncurrent_version_days),
                    abort_incomplete_multipart_upload_after=Duration.days(defaults.settings.unfinished_upload_days),
                )
            ],
        )

    def announce_objects(self) -> None:
        """Have S3 say on the event bus what is written here; CDK's own switch adds a function for it."""
        bucket = cast("s3.CfnBucket", self.node.default_child)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
