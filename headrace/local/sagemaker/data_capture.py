"""What an endpoint is asked and answers, kept in S3 as its configuration says.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import io
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from headrace.local.sagemaker.batches import Batches
from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.host import S3Client, read_clock
from headrace.local.sagemaker.s3_objects import encrypt_outputs, parse_address, upload_file

# How often a file is written, on the local cloud's clock; AWS does not say how often it is.
_SECONDS: Final = 60
_SHARES: Final = 100
_BASE64: Final = "BASE64"
_MODES: Final = {"Input": ("Input",), "Output": ("Output",), "InputAndOutput": ("Input", "Output")}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request that was answered.

    Args:
        request: InvokeEndpoint's.
        answer: Its answer.
        time: When.
    """

    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    time: datetime = field(default_factory=read_clock)


class DataCapture(Batches[list[Exchange]]):
    """Takes requests over and writes them in the background, a file for the requests of a while.

    Args:
        s3: S3, as the role of the model uses it.
        place: The names of the endpoint and of its variant.
        config: The DataCaptureConfig of its configuration; empty for nothing that is kept.
    """

    def __init__(self, s3: S3Client, place: tuple[str, str], config: Mapping[str, Any]) -> None:
        super().__init__(f"data capture {'/'.join(place)}", _SECONDS)
        self._s3 = s3
        self._place = place
        self._config = config
        self._share = 0

    @property
    def is_on(self) -> bool:
        """Whether anything is kept."""
        return bool(self._config) and bool(self._config.get("EnableCapture", True))

    def describe(self) -> dict[str, Any]:
        """DescribeEndpoint's summary of it; empty where the configuration has none."""
        if not self._config:
            return {}
        return {
            "EnableCapture": self.is_on,
            "CaptureStatus": "Started" if self.is_on else "Stopped",
            "CurrentSamplingPercentage": self._config["InitialSamplingPercentage"],
            "DestinationS3Uri": self._config["DestinationS3Uri"],
            "KmsKeyId": self._config.get("KmsKeyId", ""),
        }

    def add(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Take a request over with its answer, if it is among the share that is kept."""
        with self._changed:
            if self._is_closed or not self.is_on or not self._is_sampled():
                return
            self._waiting.append(Exchange(request=request, answer=answer))
            self._wake()

    def _is_sampled(self) -> bool:
        """SageMaker draws; here the share is exact, so that a run can be repeated."""
        self._share += int(self._config["InitialSamplingPercentage"])
        if self._share < _SHARES:
            return False
        self._share -= _SHARES
        return True

    def _begin(self) -> list[Exchange]:
        return []

    def _send(self, waiting: list[Exchange]) -> None:
        """Store exchanges under the hour of the first."""
        began = waiting[0].time
        name = f"{began:%Y/%m/%d/%H/%M-%S}-{began.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        place = parse_address(self._config["DestinationS3Uri"]).as_folder().join("/".join((*self._place, name)))
        lines = "".join(f"{json.dumps(describe(exchange, self._config))}\n" for exchange in waiting)
        try:
            upload_file(self._s3, io.BytesIO(lines.encode()), place, encrypt_outputs(self._config))
        except JobDataError as error:
            # Requests are answered whatever becomes of what is kept of them.
            logger.warning("data_not_captured count=%d error=%s", len(waiting), error)


def describe(exchange: Exchange, config: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a file: what a configuration keeps of an exchange."""
    wanted = {mode for option in config["CaptureOptions"] for mode in _MODES[option["CaptureMode"]]}
    sides = {"Input": exchange.request, "Output": exchange.answer}
    headers = config.get("CaptureContentTypeHeader", {})
    given = exchange.request.get("InferenceId")
    return {
        "captureData": {
            f"endpoint{mode}": _capture(mode, side, headers) for mode, side in sides.items() if mode in wanted
        },
        "eventMetadata": {
            "eventId": str(uuid.uuid4()),
            **({"inferenceId": given} if given else {}),
            "inferenceTime": f"{exchange.time:%Y-%m-%dT%H:%M:%SZ}",
        },
        "eventVersion": "0",
    }


def _capture(mode: str, side: Mapping[str, Any], headers: Mapping[str, Any]) -> dict[str, str]:
    body = side.get("Body", b"")
    content = body.encode() if isinstance(body, str) else bytes(body)
    content_type = side.get("ContentType", "")
    encoding = _choose_encoding(content_type, headers)
    data = base64.b64encode(content).decode() if encoding == _BASE64 else content.decode(errors="replace")
    return {"observedContentType": content_type, "mode": mode.upper(), "data": data, "encoding": encoding}


def _choose_encoding(content_type: str, headers: Mapping[str, Any]) -> str:
    """As text where the configuration names the content type, whatever its parameters are."""
    kind = content_type.partition(";")[0].strip().lower()
    for encoding, name in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if kind in (listed.lower() for listed in headers.get(name, ())):
            return encoding
    return _BASE64
