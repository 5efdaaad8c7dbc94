"""Stages the data of channels and processing inputs in a container's tree."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.host import Host
from headrace.local.sagemaker.pipes import PipeFeeder
from headrace.local.sagemaker.read_only import Protection, ReadOnlyFolder, find_protection, protect_folders
from headrace.local.sagemaker.s3_objects import (
    download_object,
    download_prefix,
    list_keys,
    parse_address,
    place_key,
    read_object,
)
from headrace.local.sagemaker.shards import Shard, find_shard
from headrace.local.sagemaker.streams import ChannelStream, Entry, open_stream, parse_augmented_manifest
from headrace.s3.addresses import S3Address
from headrace.s3.manifests import parse_traditional


class ChannelStager:
    """Brings the data of one job to its tree, whatever source and mode a channel names.

    File and FastFile channels are copies, Pipe channels are fed while the program runs, and a file system's directory
    is the folder itself.
    """

    def __init__(self, host: Host, role: str, check_stop: Callable[[], None], shard: Shard | None = None) -> None:
        self._host = host
        self._role = role
        self._check_stop = check_stop
        self._shard = shard or Shard()
        self._pipes: list[tuple[Path, ChannelStream]] = []
        self._mounted: list[Path] = []
        self.linked: list[Path] = []
        self.streamed: set[Path] = set()
        self._read_only: list[ReadOnlyFolder] = []

    def stage_channel(self, channel: Mapping[str, Any], default_mode: str, folder: Path) -> None:
        """Fills a training channel's folder."""
        mode = channel.get("InputMode", default_mode)
        source = channel["DataSource"]
        if "FileSystemDataSource" in source:
            self._mount(source["FileSystemDataSource"], folder)
            return
        if mode == "Pipe":
            folder.parent.mkdir(parents=True, exist_ok=True)
            entries = self._list_entries(source["S3DataSource"])
            self._pipes.append((folder, open_stream(self._host.s3, channel, entries, self._shard)))
            return
        s3_source = source["S3DataSource"]
        self.stage_s3(s3_source, folder)
        if mode == "FastFile":
            self._read_only.append(ReadOnlyFolder(folder, folder))
            self.streamed.add(folder)

    @contextmanager
    def feeding(self, fail: Callable[[JobDataError], None]) -> Iterator[None]:
        """Feeds the Pipe channels while a program runs; `fail` takes why one of them ends too early."""
        feeders = [PipeFeeder(path.name, path.parent, stream.read_epoch, fail) for path, stream in self._pipes]
        try:
            for feeder in feeders:
                feeder.start()
            yield
        finally:
            for feeder in feeders:
                feeder.close()

    def protect_folders(self) -> tuple[str, ...]:
        """The launcher's words that take the right to write to read-only channels."""
        return protect_folders(self._read_only, find_protection()) if self._read_only else ()

    def list_differences(self) -> list[str]:
        """What is not as on AWS, for the job's log."""
        if self._read_only and find_protection() is Protection.PERMISSIONS:
            return ["read-only channels are copies without write permission: this machine allows no mounts"]
        return []

    def export_changes(self) -> None:
        """Stores what was changed in mounted directories in the buckets they are linked to."""
        for directory in self._mounted:
            self._host.file_systems.export_changes(directory)

    def _mount(self, source: Mapping[str, Any], folder: Path) -> None:
        directory = self._host.file_systems.mount(
            source["FileSystemId"], source["FileSystemType"], source["DirectoryPath"], self._check_stop
        )
        self._mounted.append(directory)
        if source["FileSystemAccessMode"] == "ro":
            self._read_only.append(ReadOnlyFolder(directory, folder))
        else:
            folder.symlink_to(directory)
            self.linked.append(directory)

    def stage_s3(self, source: Mapping[str, Any], folder: Path) -> None:
        """Fills a folder with the objects of a prefix or of a manifest, or with the part that is this instance's."""
        folder.mkdir(parents=True, exist_ok=True)
        uri, data_type = source["S3Uri"], source["S3DataType"]
        location, shard = parse_address(uri), find_shard(source, self._shard)
        if data_type == "ManifestFile":
            self._stage_manifest(location, folder, shard)
        elif data_type == "S3Prefix":
            if not download_prefix(self._host.s3, location, folder, self._check_stop, shard):
                raise JobDataError(self._describe_missing(uri, location))
        else:
            raise JobDataError(f'S3 data type {data_type} of "{uri}" is not served by the local cloud yet.')

    def _stage_manifest(self, location: S3Address, folder: Path, shard: Shard) -> None:
        file = folder.parent / f"{folder.name}-manifest"
        download_object(self._host.s3, location, file)
        prefix, names = parse_manifest(location, file.read_bytes())
        for name in shard.take(names):
            self._check_stop()
            source = parse_address(prefix + name)
            download_object(self._host.s3, source, place_key(name, folder))

    def _list_entries(self, source: Mapping[str, Any]) -> list[Entry]:
        """What a Pipe channel sends, in its own order."""
        location, data_type = parse_address(source["S3Uri"]), source["S3DataType"]
        if data_type == "S3Prefix":
            keys = [key for key in list_keys(self._host.s3, location) if not key.endswith("/")]
            if not keys:
                raise JobDataError(self._describe_missing(source["S3Uri"], location))
            return [(S3Address(location.bucket, key),) for key in keys]
        with closing(read_object(self._host.s3, location)) as body:
            content = body.read()
        if data_type == "ManifestFile":
            prefix, names = parse_manifest(location, content)
            return [(parse_address(prefix + name),) for name in names]
        if data_type == "AugmentedManifestFile":
            return parse_augmented_manifest(location, content, source["AttributeNames"])
        raise JobDataError(f'S3 data type {data_type} of "{location}" is not served by the local cloud yet.')

    def _describe_missing(self, uri: str, location: S3Address) -> str:
        return (
            f'Data download failed: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure '
            f"that the bucket exists in the selected region ({self._host.region}), that objects exist under that S3 "
            f'prefix, and that the role "{self._role}" has "s3:ListBucket" permissions on bucket "{location.bucket}".'
        )


def parse_manifest(location: S3Address, content: bytes) -> tuple[str, list[str]]:
    """The prefix of a manifest and the keys below it; raises JobDataError for what is none."""
    try:
        return parse_traditional(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise JobDataError(f"Data download failed: the manifest {location} cannot be read: {error}") from error
