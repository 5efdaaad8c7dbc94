import contextlib
import gzip
import io
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.archives import ArchiveError
from headrace.local.sagemaker.archives import ArchiveLimits, pack_folder, unpack_archive
from headrace.local.sagemaker.left_files import LeftFolder
from tests.examples import count_examples


def write_archive(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "model.txt"
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def pack(source: Path, archive: Path) -> None:
    folder = LeftFolder(source.parent, source.name, note=pytest.fail)
    pack_folder(folder, folder.list_entries(), archive)


def test_unpacks_what_it_packed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "model.txt").write_text("trained", encoding="utf-8")

    pack(source, tmp_path / "model.tar.gz")
    unpack_archive(tmp_path / "model.tar.gz", tmp_path / "target")

    assert (tmp_path / "target" / "deep" / "model.txt").read_text(encoding="utf-8") == "trained"


def test_packs_members_without_the_name_of_who_ran_the_job(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.txt").touch()

    pack(source, tmp_path / "model.tar.gz")

    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.uid, member.gid, member.uname, member.gname) == ("model.txt", 0, 0, "", "")


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("/etc/model", tarfile.REGTYPE, "leads out of the folder"),
        ("a/../../model", tarfile.REGTYPE, "leads out of the folder"),
        ("link", tarfile.SYMTYPE, "neither a file nor a folder"),
        ("link", tarfile.LNKTYPE, "neither a file nor a folder"),
        ("device", tarfile.CHRTYPE, "neither a file nor a folder"),
        ("pipe", tarfile.FIFOTYPE, "neither a file nor a folder"),
    ],
)
def test_refuses_members_that_are_not_data(tmp_path: Path, name: str, kind: bytes, message: str) -> None:
    archive = write_archive(tmp_path / "model.tar.gz", (name, kind, b""))

    with pytest.raises(ArchiveError, match=message):
        unpack_archive(archive, tmp_path / "target")


def test_refuses_more_members_than_the_limit(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", ("a", tarfile.REGTYPE, b""), ("b", tarfile.REGTYPE, b""))

    with pytest.raises(ArchiveError, match="it has more than 1 members"):
        unpack_archive(archive, tmp_path / "target", ArchiveLimits(members=1))


def test_refuses_more_bytes_than_the_limit_without_writing_them(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", ("a", tarfile.REGTYPE, b"x" * 11))

    with pytest.raises(ArchiveError, match="it unpacks to more than 10 bytes"):
        unpack_archive(archive, tmp_path / "target", ArchiveLimits(total_bytes=10))

    assert not (tmp_path / "target" / "a").exists()


def test_refuses_a_name_that_is_both_file_and_folder(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", ("a", tarfile.REGTYPE, b"x"), ("a/b", tarfile.REGTYPE, b"x"))

    with pytest.raises(ArchiveError, match="a file and a folder of the same name"):
        unpack_archive(archive, tmp_path / "target")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_refuses_a_header_that_would_fill_the_memory(tmp_path: Path, kind: bytes) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", ("header", kind, bytes(2 * 1024 * 1024)))

    with pytest.raises(ArchiveError, match="it has a header of more than 1048576 bytes"):
        unpack_archive(archive, tmp_path / "target")


def test_refuses_more_content_than_the_limit_that_is_claimed_by_a_few_bytes(tmp_path: Path) -> None:
    member = tarfile.TarInfo("sparse")
    member.size = 2**40
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))

    with pytest.raises(ArchiveError, match="it unpacks to more than"):
        unpack_archive(tmp_path / "a.tar.gz", tmp_path / "target")


def test_refuses_a_negative_size_that_would_make_room_for_others(tmp_path: Path) -> None:
    member = tarfile.TarInfo("negative")
    member.size = -1024
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))

    with pytest.raises(ArchiveError):
        unpack_archive(tmp_path / "a.tar.gz", tmp_path / "target")


def test_refuses_a_name_that_is_too_long(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", ("n" * 300, tarfile.REGTYPE, b""))

    with pytest.raises(ArchiveError, match="it holds a name that is too long"):
        unpack_archive(archive, tmp_path / "target")


@settings(max_examples=count_examples(100), deadline=None)
@given(st.integers(0, 1023), st.binary(min_size=1, max_size=24))
def test_refuses_or_unpacks_whatever_is_damaged(place: int, damage: bytes) -> None:
    member = tarfile.TarInfo("folder/model.txt")
    member.size, member.pax_headers = 7, {"comment": "long" * 30}
    content = bytearray(member.tobuf(tarfile.PAX_FORMAT) + b"trained".ljust(512, b"\0") + bytes(1024))
    content[place : place + len(damage)] = damage
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "a.tar.gz")
        archive.write_bytes(gzip.compress(content))

        with contextlib.suppress(ArchiveError):
            unpack_archive(archive, Path(folder, "target"))

        assert {path.name for path in Path(folder).iterdir()} <= {"a.tar.gz", "target"}


@pytest.mark.parametrize("content", [b"", b"plain text", b"\x1f\x8b\x08\x00broken"])
def test_refuses_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)

    with pytest.raises(ArchiveError, match=r"it is not a readable tar\.gz archive"):
        unpack_archive(tmp_path / "a.tar.gz", tmp_path / "target")
