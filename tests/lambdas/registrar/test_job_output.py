import gzip
import io
import tarfile
from typing import BinaryIO, cast

import pytest

from lambdas.registrar import job_output
from lambdas.registrar.job_output import JobOutputError, read_output
from tests.lambdas.registrar.archives import INPUTS, Member, Stream, make_link, pack


def read(archive: bytes) -> dict[str, bytes]:
    return {file.name: file.content.read() for file in read_output(cast("BinaryIO", Stream(archive)))}


def test_takes_the_files_of_the_record() -> None:
    members = (
        ("inputs.json", INPUTS),
        ("evaluation.json", b"{}"),
        ("profile.json", b"{}"),
        ("lists/train_lst/v2/train.lst", b"0\t0\ta.jpg\n"),
    )

    assert read(pack(*members)) == dict(members)


def test_takes_them_below_a_dot_too() -> None:
    assert read(pack(("./inputs.json", INPUTS))) == {"inputs.json": INPUTS}


@pytest.mark.parametrize(
    "member",
    [
        ("plot.svg", b"<svg/>"),
        ("x/inputs.json", INPUTS),
        ("lists/inputs.json", INPUTS),
        ("lists/a b/c.lst", b""),
        ("lists/train_lst/" + "a" * 401, b""),
        ("lists/train_lst/a\nb", b""),
        ("/inputs.json", INPUTS),
        ("../inputs.json", INPUTS),
        make_link("plot.svg", "/etc/passwd"),
    ],
)
def test_passes_over_what_is_not_of_the_record(member: Member) -> None:
    assert list(read(pack(member, ("evaluation.json", b"{}")))) == ["evaluation.json"]


@pytest.mark.parametrize(
    "member",
    [
        make_link("inputs.json", "/proc/self/environ"),
        make_link("inputs.json", "evaluation.json", tarfile.LNKTYPE),
        make_link("lists/a/b.lst", "/etc/passwd"),
        make_link("inputs.json", "", tarfile.FIFOTYPE),
        make_link("inputs.json", "", tarfile.DIRTYPE),
        make_link("inputs.json", "", tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda member: f"{member.name}-{member.type!r}",
)
def test_refuses_what_is_not_a_file_in_the_place_of_one(member: tarfile.TarInfo) -> None:
    with pytest.raises(JobOutputError, match=r"^output\.tar\.gz of the training job: .*(file|tar\.gz archive)"):
        read(pack(("evaluation.json", b"{}"), member))


def test_refuses_a_list_that_leads_out_of_the_record() -> None:
    with pytest.raises(JobOutputError, match=r'member "lists/a/\.\./\.\./\.\./b\.lst" leads out of the folder'):
        read(pack(("lists/a/../../../b.lst", b"")))


@pytest.mark.parametrize(
    ("limit", "members", "reason"),
    [
        ("MOST_MEMBERS", (("a", b""), ("b", b"")), "more than 1 members"),
        ("MOST_BYTES", (("a", b"12"),), "unpacks to more than 1 bytes"),
        ("MOST_LIST_BYTES", (("lists/a/1", b"1"), ("lists/a/2", b"2")), 'member "lists/a/2" has 1 bytes, more than 0'),
    ],
)
def test_refuses_more_than_its_limits(
    limit: str, members: tuple[Member, ...], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_output, limit, 1)

    with pytest.raises(JobOutputError, match=reason):
        read(pack(*members))


def test_refuses_a_record_that_is_too_large_before_it_reads_it() -> None:
    member = tarfile.TarInfo("inputs.json")
    member.size = 2**28 + 1
    archive = gzip.compress(member.tobuf(), mtime=0)

    with pytest.raises(JobOutputError, match=r'member "inputs\.json" has 268435457 bytes, more than 268435456'):
        read(archive)


@pytest.mark.parametrize(
    "archive",
    [b"", b"plain text", gzip.compress(b"x" * 5000, mtime=0), pack(("a", b"1"))[:-20]],
    ids=["empty", "text", "packed text", "cut off"],
)
def test_refuses_what_is_not_an_archive(archive: bytes) -> None:
    with pytest.raises(JobOutputError, match=r"it is not a readable tar\.gz archive"):
        read(archive)


def test_remembers_no_member_that_it_has_passed() -> None:
    archive = io.BytesIO(pack(*((str(number), b"") for number in range(100))))

    with tarfile.open(fileobj=archive) as tar:
        assert [len(tar.members) for _ in job_output._list_members(tar)] == [0] * 100  # type: ignore[attr-defined]
