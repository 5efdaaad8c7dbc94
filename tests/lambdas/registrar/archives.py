"""Outputs of training jobs, as their programs have left them."""

import gzip
import io
import tarfile

from headrace.provenance import InputFile, dump_inputs

INPUTS = dump_inputs({"train": [InputFile("a.jpg", "a" * 64, 3)]})
Member = tuple[str, bytes] | tarfile.TarInfo


def pack(*members: Member) -> bytes:
    """A tar.gz of these files, and of members that are not files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                described = tarfile.TarInfo(member[0])
                described.size = len(member[1])
                tar.addfile(described, io.BytesIO(member[1]))
    # Without the time, which would also be in the names of tests.
    return gzip.compress(buffer.getvalue(), mtime=0)


def make_link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """A member that stands for another file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


class Stream(io.RawIOBase):
    """What S3 answers: it is read once, forwards."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int | None = -1, /) -> bytes:
        return self._content.read(size)
