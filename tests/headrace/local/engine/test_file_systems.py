from pathlib import Path
from typing import Any

import pytest

from headrace.local.engine.file_systems import FileSystems, list_folders
from headrace.local.engine.resources import (
    DATA_REPOSITORY_ASSOCIATION,
    EFS_ACCESS_POINT,
    EFS_FILE_SYSTEM,
    FSX_FILE_SYSTEM,
    name_lustre_mount,
)
from headrace.local.sagemaker.errors import JobDataError
from tests.headrace.local.sagemaker.fakes import FakeS3

EFS = "fs-0000000000000000a"
FSX = "fs-0000000000000000b"
DRA = "dra-0000000000000000c"
ALL_EVENTS = {"Events": ["NEW", "CHANGED", "DELETED"]}
LUSTRE = {"FileSystemType": "LUSTRE", "LustreConfiguration": {"DeploymentType": "PERSISTENT_2"}}
MOUNT_NAME = name_lustre_mount(FSX, LUSTRE)


class Platform:
    """An EFS and an FSx file system, and short words for what templates and jobs do with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.s3 = FakeS3("raw")
        self.systems = FileSystems(root, self.s3)
        self.watchers = self.systems.list_watchers()
        self.watchers[EFS_FILE_SYSTEM].create(EFS, {})
        self.watchers[FSX_FILE_SYSTEM].create(FSX, LUSTRE)

    def link(self, name: str = DRA, path: str = "/images", **changes: Any) -> None:
        policy = {"AutoImportPolicy": ALL_EVENTS, "AutoExportPolicy": ALL_EVENTS}
        link = {"FileSystemId": FSX, "FileSystemPath": path, "DataRepositoryPath": "s3://raw/images", "S3": policy}
        self.watchers[DATA_REPOSITORY_ASSOCIATION].create(name, link | changes)

    def mount(self, file_system_id: str, kind: str, path: str) -> Path:
        return self.systems.mount(file_system_id, kind, path, lambda: None)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


def test_makes_a_folder_for_a_file_system(platform: Platform) -> None:
    assert platform.systems.folder(EFS) == platform.root / "file-systems" / EFS
    assert platform.systems.folder(EFS).is_dir()


def test_lists_the_folders_by_id(platform: Platform) -> None:
    assert list_folders(platform.root) == {
        EFS: platform.root / "file-systems" / EFS,
        FSX: platform.root / "file-systems" / FSX,
    }


@pytest.mark.parametrize(("kind", "file_system_id"), [(EFS_FILE_SYSTEM, EFS), (FSX_FILE_SYSTEM, FSX)])
def test_removes_the_folder_when_the_file_system_is_deleted(platform: Platform, kind: str, file_system_id: str) -> None:
    folder = platform.systems.folder(file_system_id)
    (folder / "a.txt").write_text("1")

    platform.watchers[kind].delete(file_system_id)

    assert not folder.exists()
    with pytest.raises(JobDataError, match=f"File system {file_system_id} does not exist; the deployed ones are: fs-"):
        platform.systems.folder(file_system_id)


def test_removes_what_an_earlier_cloud_left_behind(platform: Platform) -> None:
    platform.link()

    FileSystems(platform.root, platform.s3).remove_leftovers()

    assert list(platform.root.iterdir()) == []


def test_refuses_file_systems_of_fsx_that_are_not_lustre(platform: Platform) -> None:
    with pytest.raises(ValueError, match="FileSystemType ONTAP is not served here; use LUSTRE"):
        platform.watchers[FSX_FILE_SYSTEM].create("fs-0c", {"FileSystemType": "ONTAP"})


def test_makes_the_root_directory_of_an_access_point_that_asks_for_it(platform: Platform) -> None:
    root = {"Path": "/people", "CreationInfo": {"OwnerUid": "1000", "OwnerGid": "1000", "Permissions": "750"}}

    platform.watchers[EFS_ACCESS_POINT].create("fsap-1", {"FileSystemId": EFS, "RootDirectory": root})

    assert (platform.systems.folder(EFS) / "people").is_dir()


@pytest.mark.parametrize("path", ["/lists", "/lists/", "//lists"])
def test_mounts_a_directory_of_efs(platform: Platform, path: str) -> None:
    (platform.systems.folder(EFS) / "lists").mkdir()

    assert platform.mount(EFS, "EFS", path) == platform.systems.folder(EFS) / "lists"


def test_mounts_a_directory_of_fsx_below_its_mount_name(platform: Platform) -> None:
    (platform.systems.folder(FSX) / "lists").mkdir()

    assert platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/lists") == platform.systems.folder(FSX) / "lists"
    assert platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}") == platform.systems.folder(FSX)


@pytest.mark.parametrize(
    ("file_system_id", "kind", "path", "message"),
    [
        (EFS, "FSxLustre", "/", f"File system {EFS} is of type EFS, not FSxLustre"),
        (FSX, "EFS", "/", f"File system {FSX} is of type FSxLustre, not EFS"),
        ("fs-0d", "EFS", "/", f"File system fs-0d does not exist; the deployed ones are: {EFS}, {FSX}"),
        (EFS, "EFS", "lists", 'DirectoryPath "lists" .* must begin with "/"'),
        (EFS, "EFS", "/../other", 'DirectoryPath "/../other" .* have no ".." in it'),
        (EFS, "EFS", "/absent", f'Directory "/absent" does not exist on file system {EFS}'),
        (EFS, "EFS", "/file", 'Directory "/file" does not exist'),
        (EFS, "EFS", "/outside", 'Directory "/outside" leads out of file system'),
        (FSX, "FSxLustre", "/lists", f'must begin with the mount name .*: "/{MOUNT_NAME}/lists"'),
        (FSX, "FSxLustre", "/", f'must begin with the mount name .*: "/{MOUNT_NAME}"'),
        (FSX, "FSxLustre", f"/{MOUNT_NAME}x", "must begin with the mount name"),
    ],
)
def test_refuses_to_mount(platform: Platform, file_system_id: str, kind: str, path: str, message: str) -> None:
    folder = platform.systems.folder(EFS)
    (folder / "file").write_text("1")
    (folder / "outside").symlink_to(platform.root)

    with pytest.raises(JobDataError, match=message):
        platform.mount(file_system_id, kind, path)


def test_loads_the_objects_of_a_linked_bucket_when_a_job_mounts_them(platform: Platform) -> None:
    platform.link()
    platform.s3.put("raw", "images/a.jpg", b"1")
    assert list((platform.systems.folder(FSX) / "images").iterdir()) == []

    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")

    assert (directory / "a.jpg").read_bytes() == b"1"


def test_shows_a_linked_bucket_in_a_directory_above_it_too(platform: Platform) -> None:
    platform.link()
    platform.s3.put("raw", "images/a.jpg", b"1")

    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}")

    assert (directory / "images/a.jpg").read_bytes() == b"1"


def test_exports_what_was_changed_below_a_mounted_directory(platform: Platform) -> None:
    platform.link()
    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")
    (directory / "new.jpg").write_bytes(b"1")

    platform.systems.export_changes(directory)

    assert platform.s3.buckets["raw"] == {"images/new.jpg": b"1"}


def test_goes_on_when_changes_cannot_be_exported(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    platform.link()
    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")
    (directory / "new.jpg").write_bytes(b"1")
    del platform.s3.buckets["raw"]

    platform.systems.export_changes(directory)

    assert "export_failed" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"FileSystemId": "fs-0d"}, "File system fs-0d does not exist"),
        ({"FileSystemId": EFS}, f"file system {EFS} is not an FSx for Lustre file system"),
        ({"FileSystemPath": "images"}, 'FileSystemPath "images" must begin with "/"'),
        ({"DataRepositoryPath": "raw/images"}, "DataRepositoryPath: 'raw/images' is not an address in S3"),
    ],
)
def test_refuses_an_association(platform: Platform, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        platform.link(**changes)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/images", "s3://raw/other"),
        ("/images/deep", "s3://raw/other"),
        ("/", "s3://raw/other"),
        ("/other", "s3://raw/images/deep/"),
        ("/other", "s3://raw"),
    ],
)
def test_refuses_an_association_that_overlaps_another(platform: Platform, path: str, source: str) -> None:
    platform.link()

    with pytest.raises(ValueError, match=r"overlaps that of another .* which links s3://raw/images/ to /images"):
        platform.link("dra-0d", path=path, DataRepositoryPath=source)


def test_links_several_prefixes_of_a_bucket(platform: Platform) -> None:
    platform.link()
    platform.link("dra-0d", path="/lists", DataRepositoryPath="s3://raw/lists")
    platform.s3.put("raw", "images/a.jpg", b"1")
    platform.s3.put("raw", "lists/a.lst", b"2")

    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}")

    assert sorted(path.name for path in directory.rglob("*.*")) == ["a.jpg", "a.lst"]


def test_uses_the_new_policy_when_an_association_is_changed(platform: Platform) -> None:
    platform.link()
    platform.watchers[DATA_REPOSITORY_ASSOCIATION].update(DRA, {"S3": {}})
    platform.s3.put("raw", "images/a.jpg", b"1")

    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")

    assert list(directory.iterdir()) == []


def test_keeps_the_files_when_an_association_is_deleted(platform: Platform) -> None:
    platform.link()
    platform.s3.put("raw", "images/a.jpg", b"1")
    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")

    platform.watchers[DATA_REPOSITORY_ASSOCIATION].delete(DRA)
    platform.s3.put("raw", "images/b.jpg", b"2")
    platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")

    assert [path.name for path in directory.iterdir()] == ["a.jpg"]
    assert list((platform.root / "data-repositories").iterdir()) == []


def test_imports_what_was_there_at_creation_when_the_template_says_so_in_words(platform: Platform) -> None:
    platform.s3.put("raw", "images/a.jpg", b"1")
    platform.link(BatchImportMetaDataOnCreate="true", S3={})

    directory = platform.mount(FSX, "FSxLustre", f"/{MOUNT_NAME}/images")

    assert [path.name for path in directory.iterdir()] == ["a.jpg"]
