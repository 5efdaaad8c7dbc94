"""Stages the data of channels and processing inputs in a container's tree."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from millrace.local.sagemaker.errors import DataError
from millrace.local.sagemaker.host import Host
from millrace.local.sagemaker.s3_objects import (
    S3Location,
    download_object,
    download_prefix,
    place_key,
)


class ChannelStager:
    """Brings the data of one job to its tree, whatever source and mode a channel names.

    File and FastFile channels are copies; Pipe channels and file systems are refused here.
    """

    def __init__(self, host: Host, role: str, check_stop: Callable[[], None]) -> None:
        self._host = host
        self._role = role
        self._check_stop = check_stop

    def stage_channel(self, channel: Mapping[str, Any], default_mode: str, folder: Path) -> None:
        """Fills a training channel's folder."""
        mode = channel.get("InputMode", default_mode)
        source = channel["DataSource"]
        if mode == "Pipe" or "S3DataSource" not in source:
            kind = "Pipe mode" if mode == "Pipe" else next(iter(source), "An empty data source")
            raise DataError(f'{kind} of channel "{channel["ChannelName"]}" is not served by the local cloud yet.')
        s3_source = source["S3DataSource"]
        self.stage_s3(s3_source["S3Uri"], s3_source["S3DataType"], folder)

    def stage_s3(self, uri: str, data_type: str, folder: Path) -> None:
        """Fills a folder with the objects of a prefix or of a manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        location = S3Location.parse(uri)
        if data_type == "ManifestFile":
            self._stage_manifest(location, folder)
        elif data_type == "S3Prefix":
            if not download_prefix(self._host.s3, location, folder, self._check_stop):
                raise DataError(self._describe_missing(uri, location))
        else:
            raise DataError(f'S3 data type {data_type} of "{uri}" is not served by the local cloud yet.')

    def _stage_manifest(self, location: S3Location, folder: Path) -> None:
        file = folder.parent / f"{folder.name}-manifest"
        download_object(self._host.s3, location, file)
        try:
            prefix, names = read_manifest(file.read_bytes())
        except (ValueError, DataError) as error:
            raise DataError(f"Data download failed: the manifest {location} cannot be read: {error}") from error
        for name in names:
            self._check_stop()
            source = S3Location.parse(prefix + name)
            download_object(self._host.s3, source, place_key(name, folder))

    def _describe_missing(self, uri: str, location: S3Location) -> str:
        return (
            f'Data download failed: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure '
            f"that the bucket exists in the selected region ({self._host.region}), that objects exist under that S3 "
            f'prefix, and that the role "{self._role}" has "s3:ListBucket" permissions on bucket "{location.bucket}".'
        )


def read_manifest(content: bytes) -> tuple[str, list[str]]:
    """The prefix and the keys below it of a manifest such as `[{"prefix": "s3://bucket/train/"}, "a.csv", "b.csv"]`."""
    entries = json.loads(content)
    if not (isinstance(entries, list) and entries and isinstance(entries[0], dict) and entries[0].get("prefix")):
        raise DataError('it must be a JSON list that begins with {"prefix": "s3://bucket/some/prefix/"}')
    names = entries[1:]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise DataError("after the prefix it must list the keys below it as strings")
    return str(entries[0]["prefix"]), names
