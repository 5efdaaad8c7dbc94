"""Batches of records: objects split into requests for a model, and its answers put together again.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html and batch-transform-data-processing.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.sagemaker.errors import JobDataError, RequestRefusedError

MIB: Final = 1 << 20
DEFAULT_MAX_PAYLOAD_MIB: Final = 6
MOST_PAYLOAD_MIB: Final = 100
_CSV: Final = "text/csv"
_JSON_LINES: Final = ("application/jsonlines", "application/x-jsonlines")
_JOINED: Final = (_CSV, *_JSON_LINES)
_NOT_JOINED: Final = "None"


def check_transform_job(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a transform job that SageMaker or this machine would not take."""
    given, made = request["TransformInput"], request["TransformOutput"]
    for name, place, served in (
        ("SplitType", given, ("None", "Line")),
        ("CompressionType", given, ("None",)),
        ("S3DataType", given["DataSource"]["S3DataSource"], ("S3Prefix", "ManifestFile")),
    ):
        if place.get(name, served[0]) not in served:
            raise RequestRefusedError(f"{name} {place[name]} is not served by the local cloud; use {served[-1]}.")
    for name in ("DataCaptureConfig", "ExperimentConfig"):
        if name in request:
            raise RequestRefusedError(f"{name} is not served by the local cloud.")
    payload = request.get("MaxPayloadInMB", DEFAULT_MAX_PAYLOAD_MIB)
    if payload * max(1, request.get("MaxConcurrentTransforms", 1)) > MOST_PAYLOAD_MIB:
        raise RequestRefusedError(
            f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {MOST_PAYLOAD_MIB} MB; give less of one."
        )
    if request.get("BatchStrategy") == "MultiRecord" and given.get("SplitType", "None") == "None":
        raise RequestRefusedError("BatchStrategy MultiRecord needs a SplitType other than None.")
    _check_joining(request.get("DataProcessing", {}), given, made)


def _check_joining(processing: Mapping[str, Any], given: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    for name in ("InputFilter", "OutputFilter"):
        if processing.get(name, "$") != "$":
            raise RequestRefusedError(f"{name} is not served by the local cloud; leave it out, or give $.")
    if processing.get("JoinSource", _NOT_JOINED) == _NOT_JOINED:
        return
    if given.get("SplitType") != "Line" or made.get("AssembleWith") != "Line":
        raise RequestRefusedError("JoinSource Input needs SplitType Line and AssembleWith Line.")
    kinds = [
        str(place.get(name, "")).partition(";")[0].strip() for place, name in ((given, "ContentType"), (made, "Accept"))
    ]
    if kinds[0] not in _JOINED or kinds[0] != kinds[1]:
        raise RequestRefusedError(
            f"JoinSource Input needs one ContentType and Accept, of {', '.join(_JOINED)}; there are "
            f"{kinds[0] or 'none'} and {kinds[1] or 'none'}."
        )


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How objects become requests and answers become objects.

    Args:
        is_split: Whether each line of an object is a record; else the whole object is one.
        is_single: Whether each request has one record.
        most_bytes: How large a request may be; without a bound if 0.
        is_assembled: Whether each answer ends with a line feed.
        join: Puts a record and what was answered to it into one line; none where answers stand alone.
    """

    is_split: bool
    is_single: bool
    most_bytes: int
    is_assembled: bool
    join: Callable[[bytes, bytes], bytes] | None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Batching":
        """What a transform job asks for."""
        given = request["TransformInput"]
        is_joined = request.get("DataProcessing", {}).get("JoinSource", _NOT_JOINED) != _NOT_JOINED
        kind = given.get("ContentType", "").partition(";")[0].strip()
        join = (join_csv if kind == _CSV else join_json) if is_joined else None
        return cls(
            is_split=given.get("SplitType") == "Line",
            is_single=request.get("BatchStrategy") == "SingleRecord",
            most_bytes=request.get("MaxPayloadInMB", DEFAULT_MAX_PAYLOAD_MIB) * MIB,
            is_assembled=request["TransformOutput"].get("AssembleWith") == "Line",
            join=join,
        )

    def transform(self, content: bytes, ask: Callable[[bytes], bytes]) -> bytes:
        """What the answers to an object's records are put together to.

        Args:
            content: The object.
            ask: Answers one request.

        Raises:
            JobDataError: If a record is too large, or answers that are to be joined do not match the records.
        """
        return b"".join(self._write(batch, ask(b"\n".join(batch))) for batch in self.divide(content))

    def divide(self, content: bytes) -> Iterator[list[bytes]]:
        """The records of an object, those of one request at a time."""
        if not self.is_split:
            self._check(len(content))
            yield [content]
            return
        batch: list[bytes] = []
        size = 0
        for record in split_lines(content):
            self._check(len(record))
            if batch and (self.is_single or (self.most_bytes and size + len(record) + 1 > self.most_bytes)):
                yield batch
                batch, size = [], 0
            batch.append(record)
            size += len(record) + 1
        if batch:
            yield batch

    def _check(self, size: int) -> None:
        if self.most_bytes and size > self.most_bytes:
            raise JobDataError(
                f"A record of {size} bytes is larger than MaxPayloadInMB, {self.most_bytes // MIB} MB. Give more, or "
                "split the input by lines."
            )

    def _write(self, batch: list[bytes], answer: bytes) -> bytes:
        if self.join:
            answers = split_lines(answer)
            if len(answers) != len(batch):
                raise JobDataError(
                    f"The model answered {len(batch)} records with {len(answers)} lines, so they cannot be joined."
                )
            return b"".join(self.join(record, line) + b"\n" for record, line in zip(batch, answers, strict=True))
        return answer.removesuffix(b"\n") + b"\n" if self.is_assembled else answer


def split_lines(content: bytes) -> list[bytes]:
    r"""The lines of a text, without the empty one after the last line feed.

    Example:
        >>> split_lines(b"a\r\nb\n")
        [b'a', b'b']
    """
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    return [line.removesuffix(b"\r") for line in lines]


def join_csv(record: bytes, answer: bytes) -> bytes:
    """A row of input with what was predicted for it in further columns."""
    return record + b"," + answer


def join_json(record: bytes, answer: bytes) -> bytes:
    """An object of input with what was predicted for it as a further member.

    Raises:
        JobDataError: If one of them is not JSON.
    """
    try:
        given, predicted = json.loads(record), json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise JobDataError(f"A record cannot be joined with its answer, as one is not JSON: {error}") from error
    whole = given if isinstance(given, dict) else {"SageMakerInput": given}
    return json.dumps({**whole, "SageMakerOutput": predicted}).encode()
