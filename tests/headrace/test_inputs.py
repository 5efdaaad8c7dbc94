"""What is read: files, pipes and open descriptors, and what is refused."""

import os
import socket
import threading
from pathlib import Path

import pytest

from headrace.inputs import InputError, open_input, open_regular, read_document, read_lines, read_text_lines, rereadable


def send(pipe: Path, content: bytes) -> threading.Thread:
    sender = threading.Thread(target=lambda: pipe.write_bytes(content))
    sender.start()
    return sender


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_reads_a_pipe(pipe: Path) -> None:
    sender = send(pipe, b"content")

    assert read_document(pipe) == b"content"
    sender.join()


def test_reads_an_open_descriptor_from_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"first\nsecond\n")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    os.read(descriptor, 6)

    assert read_document(Path(f"/dev/fd/{descriptor}")) == b"second\n"
    os.close(descriptor)


def test_reads_a_pipe_as_often_as_needed_while_its_content_is_put_aside(pipe: Path) -> None:
    sender = send(pipe, b"content")

    with rereadable(pipe) as copy:
        assert [read_document(pipe), read_document(pipe), copy.read_bytes()] == [b"content"] * 3

    sender.join()
    assert not copy.exists()


def test_puts_no_file_aside(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with rereadable(tmp_path / "file") as path:
        assert path == tmp_path / "file"


def test_takes_the_null_device_for_an_empty_file() -> None:
    assert read_document(Path(os.devnull)) == b""


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom", "/dev/full"])
def test_refuses_a_device_that_never_ends(name: str) -> None:
    if not Path(name).exists():
        pytest.skip(f"this system has no {name}")

    with pytest.raises(InputError, match="is a device; name a file"):
        open_input(Path(name))


def test_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; name a file"):
        open_input(tmp_path)


def test_refuses_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The name of a socket must be short.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

        with pytest.raises(InputError, match="is a socket; name a file"):
            open_input(Path("socket"))


def test_refuses_a_pipe_among_the_files_of_a_folder(pipe: Path) -> None:
    with pytest.raises(InputError, match="is not a regular file; leave it out"):
        open_regular(pipe)


def test_refuses_a_line_that_would_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"short\n" + bytes(3 << 20))

    with open_input(tmp_path / "file") as file, pytest.raises(InputError, match="line 2 is longer than 2 MiB"):
        list(read_lines(file, most_bytes=2 << 20))


def test_reads_lines_whatever_ends_them(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("\ufeffone\r\ntwo\rthree\nfour".encode())

    with open_input(tmp_path / "file") as file:
        assert list(read_text_lines(file)) == ["one\n", "two\n", "three\n", "four"]
