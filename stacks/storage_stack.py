"""Where data lives: raw rows and images come in, work data goes out, and every access is logged."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from millrace import contract
from stacks.constructs.buckets import AccessLogBucket, DataBucket
from stacks.settings import StorageSettings


class StorageStack(Stack):
    """The raw and work buckets, private and encrypted, in Intelligent-Tiering from the first day."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StorageSettings, retain_data: bool, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        logs = AccessLogBucket(self, "AccessLogs", settings=settings, retain_data=retain_data)
        self.raw = DataBucket(self, "Raw", access_logs=logs, settings=settings, retain_data=retain_data)
        self.work = DataBucket(self, "Work", access_logs=logs, settings=settings, retain_data=retain_data)

        CfnOutput(self, contract.RAW_BUCKET_OUTPUT, value=self.raw.bucket_name)
        CfnOutput(self, contract.WORK_BUCKET_OUTPUT, value=self.work.bucket_name)
