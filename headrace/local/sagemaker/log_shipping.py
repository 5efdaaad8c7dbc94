"""Lines of container programs on their way to CloudWatch Logs."""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from headrace.local.clock import CLOCK
from headrace.local.sagemaker.host import LogsClient

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_BATCH_EVENTS = 10_000
MAX_BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
MAX_LINE_BYTES = 262_144 - EVENT_OVERHEAD_BYTES
SHIPPING_INTERVAL_SECONDS = 1.0
LOGS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)

logger = logging.getLogger(__name__)


class LogEvent(NamedTuple):
    """One line and when it was read."""

    timestamp: int
    message: str

    @property
    def size(self) -> int:
        """What the event counts for in a batch."""
        return len(self.message.encode()) + EVENT_OVERHEAD_BYTES


def split_batches(events: list[LogEvent]) -> Iterator[list[LogEvent]]:
    """Events in the portions that one PutLogEvents takes."""
    batch: list[LogEvent] = []
    batch_bytes = 0
    for event in events:
        if batch and (len(batch) == MAX_BATCH_EVENTS or batch_bytes + event.size > MAX_BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(event)
        batch_bytes += event.size
    if batch:
        yield batch


class LogStream:
    """Sends lines to one log stream in the background, about once a second and completely before it closes.

    A line is at most MAX_LINE_BYTES long. What CloudWatch Logs does not take is dropped with a warning: a job
    does not fail because of its log.
    """

    def __init__(self, logs: LogsClient, group: str, stream: str) -> None:
        self._logs = logs
        self.group = group
        self.stream = stream
        # A bounded queue slows a program down that writes faster than its lines can be sent.
        self._events: queue.Queue[LogEvent | None] = queue.Queue(maxsize=MAX_BATCH_EVENTS)
        self._last_timestamp = 0
        self._thread = threading.Thread(target=self._ship, name=f"logs {stream}", daemon=True)

    def open(self) -> None:
        """Creates the stream and begins to send."""
        self._thread.start()

    def write(self, line: str) -> None:
        """Takes one line over; empty ones are not events for CloudWatch Logs."""
        if line:
            self._last_timestamp = max(self._last_timestamp, int(CLOCK.time() * 1000))
            self._events.put(LogEvent(self._last_timestamp, line))

    def close(self) -> None:
        """Returns when every line has been sent."""
        if self._thread.ident:
            self._events.put(None)
            self._thread.join()

    def _ship(self) -> None:
        self._create()
        open_for_more = True
        while open_for_more:
            events, open_for_more = self._collect()
            for batch in split_batches(events):
                self._put(batch)

    def _collect(self) -> tuple[list[LogEvent], bool]:
        event = self._events.get()
        deadline = time.monotonic() + SHIPPING_INTERVAL_SECONDS
        events: list[LogEvent] = []
        while event is not None:
            events.append(event)
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return events, True
            if len(events) == MAX_BATCH_EVENTS:
                return [*events, *([event] if event else [])], event is not None
        return events, False

    def _create(self) -> None:
        for create, names in (
            (self._logs.create_log_group, {"logGroupName": self.group}),
            (self._logs.create_log_stream, {"logGroupName": self.group, "logStreamName": self.stream}),
        ):
            try:
                create(**names)
            except LOGS_ERRORS as error:
                if "ResourceAlreadyExists" not in str(error):
                    logger.warning("log_stream_not_created group=%s error=%s", self.group, error)

    def _put(self, batch: list[LogEvent]) -> None:
        events = [{"timestamp": event.timestamp, "message": event.message} for event in batch]
        try:
            self._logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=events)
        except LOGS_ERRORS as error:
            logger.warning("log_events_dropped group=%s count=%d error=%s", self.group, len(batch), error)
