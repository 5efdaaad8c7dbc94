"""Channels whose data is a directory of EFS or FSx for Lustre, mounted into the container."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from headrace.channels.checks import (
    CONTENT_TYPE,
    DIRECTORY_PATH,
    FILE_SYSTEM_ID,
    MOUNT_NAME,
    ChannelError,
    check_choice,
    check_name,
    check_text,
    name_channel,
    show,
)
from headrace.channels.vocabulary import Access, InputMode, is_jsonata, is_known_later


@dataclass(frozen=True, kw_only=True)
class _FileSystemChannel:
    """What every channel from a file system has."""

    file_system_type: ClassVar[str]

    name: str
    file_system_id: str
    directory_path: str
    access_mode: Access = Access.RO
    content_type: str | None = None
    input_mode: InputMode = InputMode.FILE

    def __post_init__(self) -> None:
        check_name(self.name)
        check_text(self._subject, "file_system_id", self.file_system_id, FILE_SYSTEM_ID)
        check_text(self._subject, "directory_path", self.directory_path, DIRECTORY_PATH)
        check_choice(self._subject, "access_mode", self.access_mode, Access)
        check_text(self._subject, "content_type", self.content_type or "", CONTENT_TYPE)
        check_choice(self._subject, "input_mode", self.input_mode, InputMode)
        if self.input_mode != InputMode.FILE:
            raise ChannelError(
                self._subject,
                found=f"input_mode is {self.input_mode}",
                reason=f"SageMaker mounts {self.file_system_type} directories in File mode only",
                remedy="use File mode: nothing is copied, the directory is mounted",
            )

    def render(self) -> dict[str, Any]:
        """The channel as an entry of CreateTrainingJob's `InputDataConfig`."""
        rendered: dict[str, Any] = {"ChannelName": str(self.name)}
        if self.content_type is not None:
            rendered["ContentType"] = str(self.content_type)
        source = {
            "FileSystemId": str(self.file_system_id),
            "FileSystemType": self.file_system_type,
            "DirectoryPath": self._render_path(),
            "FileSystemAccessMode": str(self.access_mode),
        }
        return {**rendered, "InputMode": str(self.input_mode), "DataSource": {"FileSystemDataSource": source}}

    @property
    def _subject(self) -> str:
        return name_channel(self.name)

    def _render_path(self) -> str:
        return str(self.directory_path)


@dataclass(frozen=True, kw_only=True)
class EfsChannel(_FileSystemChannel):
    """A channel of a directory of an EFS file system.

    Args:
        directory_path: The full path, from the root of the file system.
        access_mode: Reading only, unless the job may write there.
    """

    file_system_type: ClassVar[str] = "EFS"


@dataclass(frozen=True, kw_only=True)
class FsxLustreChannel(_FileSystemChannel):
    """A channel of a directory of an FSx for Lustre file system.

    SageMaker's `DirectoryPath` starts with the file system's mount name; it is put there, so `directory_path` is
    what a person sees once the file system is mounted.

    Args:
        mount_name: The file system's MountName; it may be a JSONata field, to which the path is added in JSONata.
        directory_path: The path below the mount; `/` for all of it.
        access_mode: Reading only, unless the job may write there.

    Example:
        >>> channel = FsxLustreChannel(
        ...     name="train", file_system_id="fs-0123456789abcdef0", mount_name="kx4bpbev", directory_path="/train"
        ... )
        >>> channel.render()["DataSource"]["FileSystemDataSource"]["DirectoryPath"]
        '/kx4bpbev/train'
    """

    file_system_type: ClassVar[str] = "FSxLustre"

    mount_name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self._subject, "mount_name", self.mount_name, MOUNT_NAME)
        self._check_path_joinable()
        self._check_mount_name_once()
        check_text(self._subject, "directory_path with mount_name", self._render_path(), DIRECTORY_PATH)

    def _render_path(self) -> str:
        if is_jsonata(self.mount_name):
            expression, path = self.mount_name[2:-2].strip(), json.dumps(self.directory_path.rstrip("/"))
            return f"{{% '/' & {expression} & {path} %}}"
        return f"/{self.mount_name}{self.directory_path}".rstrip("/")

    def _check_path_joinable(self) -> None:
        if is_jsonata(self.directory_path):
            raise ChannelError(
                self._subject,
                found=f"directory_path is {show(self.directory_path)}",
                reason="DirectoryPath joins the mount name and the path, and a JSONata field cannot be part of a text",
                remedy="give text, or a CDK token as a Reference",
            )

    def _check_mount_name_once(self) -> None:
        if is_known_later(self.directory_path) or self.directory_path.split("/")[1] != self.mount_name:
            return
        raise ChannelError(
            self._subject,
            found=f"directory_path is {show(self.directory_path)}",
            reason="it starts with the mount name, which is put before it",
            remedy=f"leave '/{self.mount_name}' out",
        )
