"""The one whole-file writer."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from headrace.files import FileError, find_descriptor, refuse_overwriting, whole_file, whole_files, whole_folder


def write(target: Path, text: str = "new") -> None:
    with whole_file(target) as partial:
        partial.write_text(text)


def write_both(*targets: Path) -> None:
    with whole_files(*targets) as partials:
        for partial in partials:
            partial.write_text("new")


def find_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_shows_a_file_only_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "a"

    with whole_file(target) as partial:
        partial.write_text("new")
        assert not target.exists()

    assert [path.name for path in target.parent.iterdir()] == ["a"]


def test_leaves_neither_files_nor_folders_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), whole_file(tmp_path / "new" / "folder" / "a"):
        raise ValueError("broken")

    assert list(tmp_path.iterdir()) == []


def test_keeps_what_two_writers_of_one_file_write_apart(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as first, whole_file(tmp_path / "a") as second:
        first.write_text("first")
        second.write_text("second")

    assert (tmp_path / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_makes_a_new_file_as_the_umask_says(tmp_path: Path, umask: int) -> None:
    write(tmp_path / "a")

    assert find_mode(tmp_path / "a") == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o640])
def test_keeps_the_mode_of_the_file_it_replaces(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(mode)

    write(tmp_path / "a")

    assert find_mode(tmp_path / "a") == mode


def test_shows_nobody_the_new_content_of_a_private_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o600)

    with whole_file(tmp_path / "a") as partial:
        assert find_mode(partial) & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_keeps_owner_and_group_of_the_file_it_replaces(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    os.chown(tmp_path / "a", 12345, 54321)

    write(tmp_path / "a")

    assert ((tmp_path / "a").stat().st_uid, (tmp_path / "a").stat().st_gid) == (12345, 54321)


def test_keeps_the_attributes_of_the_file_it_replaces(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    try:
        os.setxattr(tmp_path / "a", "user.origin", b"street")
    except OSError:
        pytest.skip("this file system has no attributes")

    write(tmp_path / "a")

    assert os.getxattr(tmp_path / "a", "user.origin") == b"street"


@pytest.mark.parametrize("exists", [True, False])
def test_writes_to_where_a_link_leads(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "current").symlink_to("versions/7")
    if exists:
        (tmp_path / "versions" / "7").write_text("old")

    write(tmp_path / "current")

    assert (tmp_path / "current").is_symlink()
    assert (tmp_path / "versions" / "7").read_text() == "new"


def test_writes_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()

    write(tmp_path / "pipe")

    reader.join()
    assert read == ["new"]
    assert (tmp_path / "pipe").is_fifo()


def test_writes_through_an_open_descriptor(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b", buffering=0) as log:
        log.write(b"old ")
        write(Path(f"/dev/fd/{log.fileno()}"))

    assert (tmp_path / "log").read_text() == "old new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_leaves_a_device_what_it_is(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        (tmp_path / "null").write_text("")
    except OSError:
        pytest.skip("no devices can be made here")

    write(tmp_path / "null")

    assert (tmp_path / "null").is_char_device()


def test_takes_the_null_device_for_several_outputs() -> None:
    with whole_files(Path(os.devnull), Path(os.devnull)) as (first, second):
        assert first != second


@pytest.mark.parametrize("other", ["a", "./a", "folder/../a", "link"])
def test_refuses_two_outputs_that_are_one_new_file(tmp_path: Path, other: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("a")

    with pytest.raises(FileError, match="are the same file"), whole_files(tmp_path / "a", Path(f"{tmp_path}/{other}")):
        pytest.fail("must not begin")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


@pytest.mark.parametrize("other", ["a", "link", "hard"])
def test_refuses_two_outputs_that_are_one_old_file(tmp_path: Path, other: str) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")

    with pytest.raises(FileError, match="are the same file"), whole_files(tmp_path / "a", tmp_path / other):
        pytest.fail("must not begin")

    assert (tmp_path / "a").read_text() == "old"


def test_refuses_to_write_something_else_over_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to("a")

    with pytest.raises(FileError, match="link is an input; write to another file"):
        refuse_overwriting(tmp_path / "link", tmp_path / "a")


def test_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a folder; name a file"):
        write(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_refuses_a_write_protected_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o444)

    with pytest.raises(FileError, match="is write-protected"):
        write(tmp_path / "a")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_names_an_output_that_is_full() -> None:
    with pytest.raises(FileError, match=r"^/dev/full: No space left on device; make room there or write elsewhere$"):
        write(Path("/dev/full"))


def test_names_the_output_when_writing_its_content_fails(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^\S+/a: No space left on device"), whole_file(tmp_path / "a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert list(tmp_path.iterdir()) == []


def test_passes_errors_of_other_files_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"), whole_file(tmp_path / "a"):
        (tmp_path / "missing").read_text()


def test_changes_no_file_when_a_pipe_among_the_outputs_breaks(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with pytest.raises(FileError, match=f"/dev/fd/{writing}: Broken pipe; the reader has closed it"):
        write_both(tmp_path / "a", Path(f"/dev/fd/{writing}"))
    os.close(writing)

    assert list(tmp_path.iterdir()) == []


def test_finds_no_descriptor_in_an_ordinary_number(tmp_path: Path) -> None:
    assert find_descriptor(tmp_path / "1") is None
    assert find_descriptor(Path("/dev/stdout")) == 1


def test_gives_a_folder_its_name_once_it_is_whole(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "new" / "images") as partial:
        (partial / "1.jpg").write_text("new")
        assert not (tmp_path / "new" / "images").exists()

    assert [path.name for path in (tmp_path / "new").iterdir()] == ["images"]
    assert stat.S_IMODE((tmp_path / "new" / "images").stat().st_mode) & 0o500 == 0o500
    assert (tmp_path / "new" / "images" / "1.jpg").read_text() == "new"


def test_leaves_no_folder_where_its_making_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "images") as partial:
        (partial / "missing" / "1.jpg").touch()

    assert list(tmp_path.iterdir()) == []


def test_refuses_a_link_that_leads_nowhere_before_a_folder_is_made(tmp_path: Path) -> None:
    (tmp_path / "images").symlink_to("nowhere")

    with pytest.raises(FileError, match="images is already there"), whole_folder(tmp_path / "images"):
        pytest.fail("nothing may be made")

    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_says_that_another_made_the_folder_first(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="images is already there"), whole_folder(tmp_path / "images"):
        (tmp_path / "images/1.jpg").mkdir(parents=True)

    assert [path.name for path in tmp_path.rglob("*")] == ["images", "1.jpg"]


def test_names_the_folder_that_cannot_take_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(self), None, str(target))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(FileError, match=f"{tmp_path}/images: "), whole_folder(tmp_path / "images"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_makes_a_folder_of_as_long_a_name_as_the_system_allows(tmp_path: Path) -> None:
    with whole_folder(tmp_path / ("a" * 255)):
        pass
    with pytest.raises(FileError, match="File name too long"), whole_folder(tmp_path / ("a" * 256)):
        pytest.fail("nothing may be made")

    assert [path.name for path in tmp_path.iterdir()] == ["a" * 255]
