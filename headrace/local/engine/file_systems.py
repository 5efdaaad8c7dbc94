"""The EFS and FSx for Lustre file systems of the deployed templates, as folders of this machine."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from headrace.local.clock import CLOCK
from headrace.local.engine.data_repositories import DataRepository, Policy
from headrace.local.engine.resources import (
    DATA_REPOSITORY_ASSOCIATION,
    EFS_ACCESS_POINT,
    EFS_FILE_SYSTEM,
    FSX_FILE_SYSTEM,
    ResourceWatcher,
    name_lustre_mount,
)
from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.host import S3Client
from headrace.local.sagemaker.s3_objects import AWS_ERRORS, parse_address
from headrace.local.sagemaker.trees import remove_folder
from headrace.s3.addresses import S3Address

EFS: Final = "EFS"
FSX_LUSTRE: Final = "FSxLustre"

_FOLDERS = "file-systems"
_RECORDS = "data-repositories"

logger = logging.getLogger(__name__)


def list_folders(root: Path) -> dict[str, Path]:
    """The file systems of a local cloud: the folder of each by its id."""
    return {folder.name: folder for folder in sorted((root / _FOLDERS).glob("fs-*"))}


@dataclass(frozen=True)
class FileSystem:
    """One file system.

    Args:
        id: Its id.
        type: EFS or FSxLustre.
        folder: Where its files are.
        mount_name: What the paths of one of FSx for Lustre begin with.
        properties: What it was made of, as its template or the request has it.
        made: When it was made, on the cloud's clock.
    """

    id: str
    type: str
    folder: Path
    mount_name: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    made: datetime = field(default_factory=CLOCK.now)

    def locate(self, directory_path: str) -> Path:
        """Where a channel's DirectoryPath is in the folder.

        Raises:
            JobDataError: If it is not one of this file system.
        """
        path = PurePosixPath(directory_path)
        if not path.is_absolute() or ".." in path.parts:
            raise JobDataError(
                f'DirectoryPath "{directory_path}" of file system {self.id} must begin with "/" and have no ".." in it.'
            )
        parts = path.parts[1:]
        if not self.mount_name:
            return self.folder.joinpath(*parts)
        if parts[:1] != (self.mount_name,):
            raise JobDataError(
                f'DirectoryPath "{directory_path}" must begin with the mount name of FSx for Lustre file system '
                f'{self.id}: "/{"/".join((self.mount_name, *parts))}".'
            )
        return self.folder.joinpath(*parts[1:])


class FileSystems:
    """The file systems that exist, what they are linked to, and the way of a job's channel to its folder.

    Args:
        root: The local cloud's folder; file system fs-0… is `file-systems/fs-0…` below it.
    """

    def __init__(self, root: Path, s3: S3Client) -> None:
        self._folders = root.resolve() / _FOLDERS
        self._records = root.resolve() / _RECORDS
        self._s3 = s3
        self._lock = threading.Lock()
        self._systems: dict[str, FileSystem] = {}
        self._repositories: dict[str, DataRepository] = {}

    def remove_leftovers(self) -> None:
        """Remove what an earlier local cloud left behind: its stacks are gone, and with them the file systems."""
        for folder in (self._folders, self._records):
            remove_folder(folder)

    def list_watchers(self) -> dict[str, ResourceWatcher]:
        """What is to be reported of resources, by their template type."""
        return {
            EFS_FILE_SYSTEM: ResourceWatcher(create=self._add_efs, delete=self.remove),
            EFS_ACCESS_POINT: ResourceWatcher(create=self._add_access_point),
            FSX_FILE_SYSTEM: ResourceWatcher(create=self.add_lustre, delete=self.remove),
            DATA_REPOSITORY_ASSOCIATION: ResourceWatcher(
                create=self._link, update=self._change_link, delete=self._unlink
            ),
        }

    def folder(self, file_system_id: str) -> Path:
        """The folder of a file system.

        Raises:
            JobDataError: If there is no such file system.
        """
        return self._find(file_system_id).folder

    def list_lustre_groups(self, file_system_id: str) -> tuple[str, ...]:
        """The security groups of an FSx for Lustre file system; none if there is no such file system."""
        with self._lock:
            system = self._systems.get(file_system_id)
        return tuple(system.properties.get("SecurityGroupIds", ())) if system else ()

    def list_lustre(self) -> dict[str, FileSystem]:
        """The FSx for Lustre file systems, by their ids."""
        with self._lock:
            return {system.id: system for system in self._systems.values() if system.type == FSX_LUSTRE}

    def mount(
        self, file_system_id: str, file_system_type: str, directory_path: str, check_stop: Callable[[], None]
    ) -> Path:
        """The directory that a channel names, with the objects of linked buckets loaded.

        Raises:
            JobDataError: If there is no such file system or directory.
        """
        system = self._find(file_system_id)
        if system.type != file_system_type:
            raise JobDataError(f"File system {system.id} is of type {system.type}, not {file_system_type}.")
        directory = system.locate(directory_path)
        if not directory.resolve().is_relative_to(system.folder):
            raise JobDataError(f'Directory "{directory_path}" leads out of file system {system.id}.')
        for repository in self._list_repositories(directory):
            repository.import_changes(directory, check_stop)
        if not directory.is_dir():
            raise JobDataError(f'Directory "{directory_path}" does not exist on file system {system.id}.')
        return directory

    def export_changes(self, directory: Path) -> None:
        """Store what was changed below a mounted directory in the linked buckets; as on AWS, no job fails of that."""
        for repository in self._list_repositories(directory):
            try:
                repository.export_changes(directory)
            except (JobDataError, OSError, *AWS_ERRORS):
                logger.exception("export_failed directory=%s bucket=%s", directory, repository.source.bucket)

    def _find(self, file_system_id: str) -> FileSystem:
        with self._lock:
            system = self._systems.get(file_system_id)
            if not system:
                known = ", ".join(sorted(self._systems)) or "none"
                raise JobDataError(f"File system {file_system_id} does not exist; the deployed ones are: {known}.")
            return system

    def _list_repositories(self, directory: Path) -> list[DataRepository]:
        with self._lock:
            return [repository for repository in self._repositories.values() if repository.covers(directory)]

    def _add_efs(self, file_system_id: str, _properties: Mapping[str, Any]) -> None:
        self._add(FileSystem(file_system_id, EFS, self._folders / file_system_id))

    def add_lustre(self, file_system_id: str, properties: Mapping[str, Any]) -> None:
        """Make an FSx for Lustre file system, linked to a bucket where it has an `ImportPath`.

        Raises:
            ValueError: If it is of another type, or cannot be linked.
        """
        if properties.get("FileSystemType") != "LUSTRE":
            raise ValueError(f"FileSystemType {properties.get('FileSystemType')} is not served here; use LUSTRE")
        mount_name = name_lustre_mount(file_system_id, properties)
        system = FileSystem(file_system_id, FSX_LUSTRE, self._folders / file_system_id, mount_name, properties)
        self._add(system)
        try:
            self._import_path(system, properties.get("LustreConfiguration", {}))
        except ValueError:
            self.remove(file_system_id)
            raise

    def _import_path(self, system: FileSystem, configuration: Mapping[str, Any]) -> None:
        """Link the root to that of a bucket, of which only what is below a prefix shows.

        https://docs.aws.amazon.com/fsx/latest/LustreGuide/older-deployment-types.html
        """
        if "ImportPath" not in configuration:
            return
        source = _parse_source(configuration["ImportPath"])
        events = configuration.get("AutoImportPolicy", "NONE").split("_")
        repository = DataRepository(
            s3=self._s3,
            folder=system.folder.joinpath(*PurePosixPath(source.key).parts),
            source=source,
            policy=Policy(imported=frozenset(events) - {"NONE"}, exported=frozenset()),
            record=self._records / f"{system.id}.json",
        )
        self._take(system, system.id, repository, import_all=True)

    def _add(self, system: FileSystem) -> None:
        system.folder.mkdir(parents=True)
        with self._lock:
            self._systems[system.id] = system

    def remove(self, file_system_id: str) -> None:
        """Remove a file system with its files, and the link that it was made with; there need not be one."""
        self._unlink(file_system_id)
        with self._lock:
            system = self._systems.pop(file_system_id, None)
        if system:
            remove_folder(system.folder)

    def _add_access_point(self, _access_point_id: str, properties: Mapping[str, Any]) -> None:
        """EFS makes the root directory of an access point at the first mount; nothing is mounted here."""
        root = properties.get("RootDirectory", {})
        if "CreationInfo" in root:
            system = self._find_for_template(properties["FileSystemId"])
            system.locate(root["Path"]).mkdir(parents=True, exist_ok=True)

    def _link(self, association_id: str, properties: Mapping[str, Any]) -> None:
        system = self._find_for_template(properties.get("FileSystemId", ""))
        if system.type != FSX_LUSTRE:
            raise ValueError(f"file system {system.id} is not an FSx for Lustre file system")
        repository = DataRepository(
            s3=self._s3,
            folder=_locate_association(system, properties.get("FileSystemPath", "/")),
            source=_parse_source(properties.get("DataRepositoryPath", "")),
            policy=Policy.parse(properties),
            record=self._records / f"{association_id}.json",
        )
        import_all = _is_true(properties.get("BatchImportMetaDataOnCreate"))
        self._take(system, association_id, repository, import_all=import_all)

    def _take(self, system: FileSystem, name: str, repository: DataRepository, *, import_all: bool) -> None:
        self._records.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._refuse_overlap(system, repository)
            self._repositories[name] = repository
        try:
            repository.take_inventory(import_all=import_all)
        except (JobDataError, *AWS_ERRORS) as error:
            self._unlink(name)
            raise ValueError(f"{repository.source} cannot be linked: {error}") from error

    def _refuse_overlap(self, system: FileSystem, new: DataRepository) -> None:
        for other in self._repositories.values():
            if other.folder.is_relative_to(system.folder) and (other.covers(new.folder) or other.shares_objects(new)):
                raise ValueError(
                    f"FileSystemPath or DataRepositoryPath overlaps that of another association of {system.id}, "
                    f"which links {other.source} to /{other.folder.relative_to(system.folder).as_posix()}"
                )

    def _change_link(self, association_id: str, properties: Mapping[str, Any]) -> None:
        with self._lock:
            self._repositories[association_id].policy = Policy.parse(properties)

    def _unlink(self, association_id: str) -> None:
        with self._lock:
            repository = self._repositories.pop(association_id, None)
        if repository:
            repository.forget()

    def _find_for_template(self, file_system_id: str) -> FileSystem:
        try:
            return self._find(file_system_id.rpartition("/")[2])
        except JobDataError as error:
            raise ValueError(str(error)) from error


def _locate_association(system: FileSystem, file_system_path: str) -> Path:
    """Where FileSystemPath is; unlike a channel's path it has no mount name in it."""
    path = PurePosixPath(file_system_path)
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f'FileSystemPath "{file_system_path}" must begin with "/" and have no ".." in it')
    return system.folder.joinpath(*path.parts[1:])


def _parse_source(data_repository_path: str) -> S3Address:
    try:
        source = parse_address(data_repository_path)
    except JobDataError as error:
        raise ValueError(f"DataRepositoryPath: {error}") from error
    folder = source.key.rstrip("/")
    return S3Address(source.bucket, f"{folder}/" if folder else "")


def _is_true(value: object) -> bool:
    """Whether a template says true, which may be a string there."""
    return str(value).lower() == "true"
