"""What was kept of how a version was made: the files that its jobs have read, its evaluation, and its lists."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from headrace.contract import VersionFact
from headrace.errors import HeadraceError
from headrace.pipeline.versions import Version
from headrace.provenance import (
    EVALUATION_FILE,
    INPUTS_FILE,
    LISTS_FOLDER,
    MOST_LIST_BYTES,
    InputFile,
    ProvenanceError,
    read_inputs,
)
from headrace.s3.addresses import S3Address, S3AddressError
from headrace.workloads.evaluation import ClassResult, list_class_results

_MOST_INPUT_BYTES: Final = 256 << 20
_MOST_EVALUATION_BYTES: Final = 16 << 20
_MISSING: Final = ("NoSuchKey", "NoSuchBucket", "404")


class RecordError(HeadraceError):
    """A record that cannot be read, or is not one."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was kept of how a version was made.

    Args:
        channels: The files that its jobs have read, by channel; None where that was not recorded.
        classes: How the model did by class; empty where there are none.
        lists: Where each list of samples is, by its place in the record.
        missing: What there is not, in words.
    """

    channels: Mapping[str, list[InputFile]] | None = None
    classes: tuple[ClassResult, ...] = ()
    lists: Mapping[str, S3Address] = field(default_factory=dict)
    missing: str = ""


class Records:
    """Reads records from S3.

    Args:
        s3: The client; by default, one of this process's session.
    """

    def __init__(self, s3: Any = None) -> None:
        self._s3: Any = s3 or boto3.client("s3")

    def read(self, version: Version) -> Record:
        """The record of a version.

        Raises:
            RecordError: If it is damaged, or larger than any that jobs write.
        """
        place = version.facts.get(VersionFact.RECORD, "")
        if not place:
            return Record(missing=f"version {version.number} has no record of what it was made from")
        try:
            prefix = S3Address.parse(place).as_folder()
        except S3AddressError as error:
            raise RecordError(f"version {version.number}: {VersionFact.RECORD}: {error}") from None
        inputs = self._fetch(prefix.join(INPUTS_FILE), _MOST_INPUT_BYTES)
        evaluation = self._fetch(prefix.join(EVALUATION_FILE), _MOST_EVALUATION_BYTES)
        return Record(
            channels=None if inputs is None else _parse_inputs(inputs, prefix),
            classes=() if evaluation is None else parse_evaluation(evaluation, prefix),
            lists=dict(self._list_lists(prefix)),
            missing="" if inputs is not None else f"the record of version {version.number} has no {INPUTS_FILE}",
        )

    def download(self, place: S3Address, file: Path) -> None:
        """Store a list in a file.

        Raises:
            RecordError: If there is none, or it is larger than any that jobs keep.
        """
        content = self._fetch(place, MOST_LIST_BYTES)
        if content is None:
            raise RecordError(f"{place} is not there any more")
        file.write_bytes(content)

    def _fetch(self, place: S3Address, most_bytes: int) -> bytes | None:
        """An object; None where there is none."""
        try:
            found = self._s3.get_object(Bucket=place.bucket, Key=place.key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            return None
        content: bytes = found["Body"].read(most_bytes + 1)
        if len(content) > most_bytes:
            raise RecordError(f"{place} is larger than {most_bytes >> 20} MiB, which no job writes")
        return content

    def _list_lists(self, prefix: S3Address) -> Iterator[tuple[str, S3Address]]:
        folder = prefix.join(f"{LISTS_FOLDER}/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=folder.bucket, Prefix=folder.key)
        for found in (found for page in pages for found in page.get("Contents", [])):
            yield found["Key"].removeprefix(folder.key), S3Address(folder.bucket, found["Key"])


def _parse_inputs(content: bytes, prefix: S3Address) -> dict[str, list[InputFile]]:
    try:
        return read_inputs(content)
    except ProvenanceError as error:
        raise RecordError(f"{prefix}: {error}") from None


def parse_evaluation(content: bytes, prefix: S3Address) -> tuple[ClassResult, ...]:
    """How a model did by class, from an evaluation wherever it comes from.

    Args:
        content: The file.
        prefix: The record that it is in.

    Raises:
        RecordError: If it is not one.
    """
    try:
        evaluation = json.loads(content)
    except (ValueError, RecursionError):
        evaluation = None
    if not _is_evaluation(evaluation):
        raise RecordError(f"{prefix}: {EVALUATION_FILE} is not an evaluation as training programs write it")
    return list_class_results(evaluation)


def _is_evaluation(evaluation: object) -> bool:
    if not isinstance(evaluation, dict):
        return False
    labels, confusion = evaluation.get("labels", []), evaluation.get("confusion", [])
    if not isinstance(labels, list) or not isinstance(confusion, list) or len(labels) != len(confusion):
        # Programs without classes write neither.
        return "confusion" not in evaluation
    return all(isinstance(label, str) for label in labels) and all(
        isinstance(row, list) and len(row) == len(labels) and all(_is_count(number) for number in row)
        for row in confusion
    )


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 53
