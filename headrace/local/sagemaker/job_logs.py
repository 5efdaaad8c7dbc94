"""The log of a job: a stream for each of its instances, and for each time that its programs start."""

from collections.abc import Iterable

from headrace.local.sagemaker.host import LogsClient, read_clock
from headrace.local.sagemaker.log_shipping import LogStream


class JobLogs:
    """The streams of a job, of which one set is open at a time.

    Args:
        logs: A client of the job's role.
        group: The log group.
        job: The job's name.
    """

    def __init__(self, logs: LogsClient, group: str, job: str) -> None:
        self._logs = logs
        self._group = group
        self._job = job
        self._second = 0
        self._streams: list[LogStream] = []

    def name_streams(self, hosts: Iterable[str]) -> list[str]:
        """Names for the streams of instances that start now, which none has had before."""
        # Programs that start in one second have streams of their own.
        self._second = max(int(read_clock().timestamp()), self._second + 1)
        return [f"{self._job}/{host}-{self._second}" for host in hosts]

    def open(self, hosts: Iterable[str]) -> list[LogStream]:
        """New streams in the order of the instances; those before are closed."""
        self.close()
        self._streams = [LogStream(self._logs, self._group, name) for name in self.name_streams(hosts)]
        for stream in self._streams:
            stream.open()
        return self._streams

    def note(self, note: str) -> None:
        """Says in the first instance's stream what differs from SageMaker."""
        for stream in self._streams[:1]:
            stream.write(f"headrace: {note}")

    def close(self) -> None:
        """Returns when every line has been sent."""
        for stream in self._streams:
            stream.close()
