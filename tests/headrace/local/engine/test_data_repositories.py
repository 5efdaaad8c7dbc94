import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.local.engine.data_repositories import DataRepository, Policy
from headrace.local.sagemaker.errors import JobDataError, StoppedError
from headrace.s3.addresses import S3Address
from tests.headrace.local.sagemaker.fakes import FakeS3, client_error

ALL = ("NEW", "CHANGED", "DELETED")


class CountingS3(FakeS3):
    """Notes which objects are read; the body of `broken` ends before its end."""

    def __init__(self, *buckets: str) -> None:
        super().__init__(*buckets)
        self.read: list[str] = []
        self.broken = ""

    def get_object(self, **request: Any) -> Any:
        self.read.append(request["Key"])
        if request["Key"] == self.broken:
            return {"Body": BrokenBody()}
        return super().get_object(**request)


class BrokenBody:
    def __init__(self) -> None:
        self._parts = [b"half"]

    def read(self, _size: int = -1) -> bytes:
        if not self._parts:
            raise client_error("SlowDown", "GetObject")
        return self._parts.pop()


class Link:
    """A bucket linked to a folder, and short words for what happens on both sides."""

    def __init__(self, root: Path, imported: tuple[str, ...], exported: tuple[str, ...]) -> None:
        self.s3 = CountingS3("raw")
        self.folder = root / "fs" / "images"
        self.record = root / "record.json"
        self.repository = DataRepository(
            s3=self.s3,
            folder=self.folder,
            source=S3Address("raw", "images/"),
            policy=Policy(frozenset(imported), frozenset(exported)),
            record=self.record,
        )

    def start(self, *, import_all: bool = False) -> "Link":
        self.repository.take_inventory(import_all=import_all)
        return self

    def put(self, name: str, body: bytes) -> None:
        self.s3.put("raw", f"images/{name}", body)

    def delete(self, name: str) -> None:
        del self.s3.buckets["raw"][f"images/{name}"]

    def write(self, name: str, body: bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    def mount(self, name: str = "") -> dict[str, bytes]:
        self.repository.import_changes(self.folder / name, lambda: None)
        return self.files()

    def end(self, name: str = "") -> dict[str, bytes]:
        self.repository.export_changes(self.folder / name)
        return {key.removeprefix("images/"): body for key, body in self.s3.buckets["raw"].items()}

    def files(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}


MakeLink = Callable[..., Link]


@pytest.fixture
def make_link(tmp_path: Path) -> MakeLink:
    def make(imported: tuple[str, ...] = ALL, exported: tuple[str, ...] = ALL) -> Link:
        return Link(tmp_path, imported, exported)

    return make


def test_reads_the_policy_of_a_template() -> None:
    policy = Policy.parse(
        {"S3": {"AutoImportPolicy": {"Events": ["NEW"]}, "AutoExportPolicy": {"Events": ["CHANGED"]}}}
    )

    assert policy == Policy(imported=frozenset({"NEW"}), exported=frozenset({"CHANGED"}))


def test_lets_nothing_travel_when_a_template_has_no_policy() -> None:
    assert Policy.parse({}) == Policy(imported=frozenset(), exported=frozenset())


def test_loads_only_what_lies_below_the_mounted_directory(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("cats/a.jpg", b"1")
    link.put("dogs/b.jpg", b"2")

    assert link.mount("cats") == {"cats/a.jpg": b"1"}
    assert link.s3.read == ["images/cats/a.jpg"]


def test_does_not_mistake_a_longer_name_for_the_mounted_directory(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("cats/a.jpg", b"1")
    link.put("cats-and-dogs/b.jpg", b"2")

    assert link.mount("cats") == {"cats/a.jpg": b"1"}


def test_loads_an_object_once(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")

    link.mount()
    link.mount()

    assert link.s3.read == ["images/a.jpg"]


def test_has_nothing_to_do_with_directories_elsewhere(make_link: MakeLink) -> None:
    link = make_link().start()

    assert not link.repository.covers(link.folder.parent / "other")
    assert link.repository.covers(link.folder / "cats")
    assert link.repository.covers(link.folder.parent)


@pytest.mark.parametrize(
    ("imported", "files"),
    [
        (("NEW",), {"old.jpg": b"1", "new.jpg": b"2", "gone.jpg": b"3"}),
        (("CHANGED",), {"old.jpg": b"changed", "gone.jpg": b"3"}),
        (("DELETED",), {"old.jpg": b"1"}),
        ((), {"old.jpg": b"1", "gone.jpg": b"3"}),
        (ALL, {"old.jpg": b"changed", "new.jpg": b"2"}),
    ],
)
def test_imports_the_events_of_its_policy(
    make_link: MakeLink, imported: tuple[str, ...], files: dict[str, bytes]
) -> None:
    link = make_link(imported)
    link.put("old.jpg", b"1")
    link.put("gone.jpg", b"3")
    link.start(import_all=True).mount()
    link.put("old.jpg", b"changed")
    link.put("new.jpg", b"2")
    link.delete("gone.jpg")

    assert link.mount() == files


def test_leaves_out_what_was_there_before_the_association(make_link: MakeLink) -> None:
    link = make_link()
    link.put("before.jpg", b"1")
    link.start()
    link.put("after.jpg", b"2")

    assert link.mount() == {"after.jpg": b"2"}


def test_imports_an_object_from_before_the_association_when_it_changes(make_link: MakeLink) -> None:
    link = make_link()
    link.put("before.jpg", b"1")
    link.start()
    link.put("before.jpg", b"2")

    assert link.mount() == {"before.jpg": b"2"}


def test_loads_what_was_there_at_creation_even_when_it_was_changed_since(make_link: MakeLink) -> None:
    link = make_link(())
    link.put("a.jpg", b"1")
    link.start(import_all=True)
    link.put("a.jpg", b"2")

    assert link.mount() == {"a.jpg": b"2"}


def test_makes_folders_of_keys_that_end_in_a_slash(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("", b"")
    link.put("empty/", b"")

    link.mount()

    assert (link.folder / "empty").is_dir()


@pytest.mark.parametrize(
    ("exported", "objects"),
    [
        (("NEW",), {"a.jpg": b"1", "b.jpg": b"2", "new.jpg": b"3"}),
        (("CHANGED",), {"a.jpg": b"changed", "b.jpg": b"2"}),
        (("DELETED",), {"a.jpg": b"1"}),
        ((), {"a.jpg": b"1", "b.jpg": b"2"}),
        (ALL, {"a.jpg": b"changed", "new.jpg": b"3"}),
    ],
)
def test_exports_the_events_of_its_policy(
    make_link: MakeLink, exported: tuple[str, ...], objects: dict[str, bytes]
) -> None:
    link = make_link(exported=exported).start()
    link.put("a.jpg", b"1")
    link.put("b.jpg", b"2")
    link.mount()
    link.write("a.jpg", b"changed")
    link.write("new.jpg", b"3")
    (link.folder / "b.jpg").unlink()

    assert link.end() == objects


def test_exports_only_what_lies_below_the_mounted_directory(make_link: MakeLink) -> None:
    link = make_link().start()
    link.write("cats/a.jpg", b"1")
    link.write("dogs/b.jpg", b"2")

    assert link.end("cats") == {"cats/a.jpg": b"1"}


def test_exports_a_change_once(make_link: MakeLink) -> None:
    link = make_link().start()
    link.write("a.jpg", b"1")
    link.end()
    link.put("a.jpg", b"by somebody else")

    assert link.end() == {"a.jpg": b"by somebody else"}


def test_does_not_import_what_it_has_exported(make_link: MakeLink) -> None:
    link = make_link().start()
    link.write("a.jpg", b"1")
    link.end()

    link.mount()

    assert link.s3.read == []


def test_does_not_import_again_what_was_deleted_here(make_link: MakeLink) -> None:
    link = make_link(exported=()).start()
    link.put("a.jpg", b"1")
    link.mount()
    (link.folder / "a.jpg").unlink()

    assert link.mount() == {}


def test_never_deletes_an_object_that_was_not_loaded(make_link: MakeLink) -> None:
    link = make_link()
    link.put("a.jpg", b"1")
    link.start(import_all=True)

    assert link.end() == {"a.jpg": b"1"}


@pytest.mark.parametrize("change", [b"mine", None], ids=["changed", "deleted"])
def test_never_overwrites_what_somebody_else_has_changed_in_the_bucket(
    make_link: MakeLink, caplog: pytest.LogCaptureFixture, change: bytes | None
) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")
    link.mount()
    link.put("a.jpg", b"theirs")
    link.write("a.jpg", change) if change else (link.folder / "a.jpg").unlink()

    assert link.end() == {"a.jpg": b"theirs"}
    assert link.mount() == {"a.jpg": b"theirs"}


def test_keeps_a_changed_file_when_its_object_is_deleted(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")
    link.mount()
    link.write("a.jpg", b"mine")
    link.delete("a.jpg")

    assert link.mount() == {"a.jpg": b"mine"}


def test_does_not_export_what_links_point_to(make_link: MakeLink, tmp_path: Path) -> None:
    link = make_link().start()
    (tmp_path / "secret").write_text("1")
    (link.folder / "link").symlink_to(tmp_path / "secret")
    (link.folder / "folder").symlink_to(tmp_path)

    assert link.end() == {}


@pytest.mark.parametrize("name", ["folder/a.jpg", "folder/sub/"])
def test_does_not_load_an_object_through_a_link_that_leads_out(make_link: MakeLink, tmp_path: Path, name: str) -> None:
    link = make_link().start()
    outside = tmp_path / "outside"
    outside.mkdir()
    (link.folder / "folder").symlink_to(outside)
    link.put(name, b"1")

    with pytest.raises(JobDataError, match=f'a link in the file system leads "{name}" out of it'):
        link.mount()

    assert list(outside.iterdir()) == []


def test_deletes_nothing_through_a_link_that_leads_out(make_link: MakeLink, tmp_path: Path) -> None:
    link = make_link().start()
    link.put("folder/a.jpg", b"1")
    link.mount()
    (link.folder / "folder").rename(tmp_path / "outside")
    (link.folder / "folder").symlink_to(tmp_path / "outside")
    link.delete("folder/a.jpg")

    link.mount()

    assert (tmp_path / "outside" / "a.jpg").exists()


def test_keeps_no_half_loaded_file(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")
    link.put("b.jpg", b"2")
    link.s3.broken = "images/b.jpg"

    with pytest.raises(Exception, match="SlowDown"):
        link.mount()

    assert link.files() == {"a.jpg": b"1"}


def test_goes_on_where_loading_was_interrupted(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")
    link.put("b.jpg", b"2")
    calls: list[None] = []

    def stop_at_second() -> None:
        calls.append(None)
        if len(calls) == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        link.repository.import_changes(link.folder, stop_at_second)

    assert link.mount() == {"a.jpg": b"1", "b.jpg": b"2"}
    assert link.s3.read == ["images/a.jpg", "images/b.jpg"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["../escaped"], "leads out of the folder"),
        (["a", "a/b"], "is both an object and a folder"),
    ],
)
def test_refuses_keys_that_cannot_be_files(make_link: MakeLink, keys: list[str], message: str) -> None:
    link = make_link().start()
    for key in keys:
        link.put(key, b"1")

    with pytest.raises(JobDataError, match=message):
        link.mount()


def test_notices_a_file_of_the_same_size_that_was_written_again(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")
    link.mount()
    link.write("a.jpg", b"2")
    os.utime(link.folder / "a.jpg", ns=(0, 1))

    assert link.end() == {"a.jpg": b"2"}


def test_forgets_its_record_but_no_file(make_link: MakeLink) -> None:
    link = make_link().start()
    link.put("a.jpg", b"1")
    link.mount()

    link.repository.forget()

    assert not link.record.exists()
    assert link.files() == {"a.jpg": b"1"}
