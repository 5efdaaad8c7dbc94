"""The alarms that tell people how the file systems do."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs.file_systems import LustreFileSystem, SharedFileSystem
from stacks.settings.alarms import FileSystemAlarmSettings

_BYTES_PER_GIB: Final = 2**30
_MINUTE: Final = Duration.minutes(1)
_MINUTES: Final = 15


class FileSystemAlarms(Construct):
    """Alarms on file systems, each there only where the settings draw its line and the file system is on.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        settings: Where they draw the line.
        efs: The file system on EFS, if there is one.
        fsx: The file system on FSx for Lustre, if there is one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FileSystemAlarmSettings,
        efs: SharedFileSystem | None,
        fsx: LustreFileSystem | None,
    ) -> None:
        super().__init__(scope, construct_id)
        if efs and settings.efs_io_percent:
            self._watch_operations(efs, settings.efs_io_percent)
        if fsx and settings.fsx_free_percent:
            self._watch_capacity(fsx, settings.fsx_free_percent)

    def _watch_operations(self, efs: SharedFileSystem, percent: int) -> None:
        """Burst credits are no worry of elastic throughput.

        https://docs.aws.amazon.com/efs/latest/ug/efs-metrics.html
        """
        self._alarm(
            "Operations",
            f"EFS does more than {percent} % of the operations a second that it can do",
            _metric("AWS/EFS", "PercentIOLimit", efs.file_system_id, cloudwatch.Stats.MAXIMUM),
            percent,
            cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        )

    def _watch_capacity(self, fsx: LustreFileSystem, percent: int) -> None:
        """Each minute has one datum of each disk, so that only the sum of a minute is what is free.

        https://docs.aws.amazon.com/fsx/latest/LustreGuide/fs-metrics.html
        """
        self._alarm(
            "Capacity",
            f"Less than {percent} % of FSx for Lustre is free; release what is in its bucket, or give it more",
            _metric("AWS/FSx", "FreeDataStorageCapacity", fsx.file_system_id, cloudwatch.Stats.SUM),
            fsx.capacity_gib * _BYTES_PER_GIB * percent / 100,
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )

    def _alarm(
        self,
        construct_id: str,
        what: str,
        metric: cloudwatch.Metric,
        threshold: float,
        comparison: cloudwatch.ComparisonOperator,
    ) -> None:
        cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=what,
            metric=metric,
            threshold=threshold,
            evaluation_periods=_MINUTES,
            comparison_operator=comparison,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _metric(namespace: str, name: str, file_system_id: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={"FileSystemId": file_system_id},
        statistic=statistic,
        period=_MINUTE,
    )
