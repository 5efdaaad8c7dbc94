"""FSx's API: file systems that are made, looked at and deleted by requests."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from headrace.local.engine.file_systems import FileSystems
from headrace.local.engine.lustre import (
    CREATING_SECONDS,
    DELETING_SECONDS,
    Lustre,
    list_lustre_needs,
    name_arn,
)
from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.engine.resources import FSX_FILE_SYSTEM
from headrace.local.sagemaker.errors import JobDataError
from tests.headrace.local.sagemaker.fakes import FakeS3

REQUEST: dict[str, Any] = {
    "ClientRequestToken": "run-1",
    "FileSystemType": "LUSTRE",
    "FileSystemTypeVersion": "2.15",
    "StorageCapacity": 1200,
    "StorageType": "SSD",
    "SubnetIds": ["subnet-0123456789abcdef0"],
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
    "Tags": [{"Key": "headrace:execution", "Value": "run-1"}],
    "LustreConfiguration": {"DeploymentType": "SCRATCH_2", "ImportPath": "s3://raw/images/"},
}


@dataclass
class Account:
    """An account with an FSx whose clock a test moves."""

    root: Path
    now: float = 0.0
    s3: FakeS3 = field(default_factory=lambda: FakeS3("raw"))

    def __post_init__(self) -> None:
        self.systems = FileSystems(self.root, self.s3)
        self.lustre = Lustre(self.systems, lambda: self.now)

    def create(self, **changes: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.lustre.answer("CreateFileSystem", {**REQUEST, **changes})["FileSystem"]
        return answer

    def delete(self, name: str) -> None:
        self.lustre.answer("DeleteFileSystem", {"FileSystemId": name})

    def describe(self, *names: str) -> list[dict[str, Any]]:
        request = {"FileSystemIds": list(names)} if names else {}
        found: list[dict[str, Any]] = self.lustre.answer("DescribeFileSystems", request)["FileSystems"]
        return found

    def list_states(self, *names: str) -> list[str]:
        return [found["Lifecycle"] for found in self.describe(*names)]


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def test_is_creating_then_available_then_deleting_then_gone(account: Account) -> None:
    name = account.create()["FileSystemId"]
    states = [account.list_states(name)]
    account.now += CREATING_SECONDS
    states.append(account.list_states(name))
    account.delete(name)
    states.append(account.list_states(name))
    account.now += DELETING_SECONDS

    assert states == [["CREATING"], ["AVAILABLE"], ["DELETING"]]
    assert account.describe() == []
    with pytest.raises(ServiceRefusedError) as refused:
        account.describe(name)
    assert refused.value.code == "FileSystemNotFound"


def test_shows_what_is_below_the_prefix_of_the_bucket_at_the_same_place(account: Account) -> None:
    account.s3.put("raw", "images/lists/a.lst", b"0\t1\ta.jpg\n")
    account.s3.put("raw", "other/b.txt", b"")
    made = account.create()
    mount_name = made["LustreConfiguration"]["MountName"]

    folder = account.systems.mount(made["FileSystemId"], "FSxLustre", f"/{mount_name}/images/lists", lambda: None)

    assert [path.name for path in folder.iterdir()] == ["a.lst"]
    with pytest.raises(JobDataError):
        account.systems.mount(made["FileSystemId"], "FSxLustre", f"/{mount_name}/other", lambda: None)


def test_removes_the_files_with_the_file_system(account: Account) -> None:
    name = account.create()["FileSystemId"]
    folder = account.systems.folder(name)

    account.delete(name)

    assert not folder.exists()
    assert list((account.root / "data-repositories").iterdir()) == []


def test_answers_a_request_that_comes_again_with_the_same_file_system(account: Account) -> None:
    assert account.create()["FileSystemId"] == account.create()["FileSystemId"]
    assert len(account.describe()) == 1


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"StorageCapacity": 2400}, "IncompatibleParameterError", "run-1"),
        ({"ClientRequestToken": "a b"}, "BadRequest", "clientRequestToken"),
        ({"ClientRequestToken": "run-2", "FileSystemType": "ONTAP"}, "BadRequest", "use LUSTRE"),
    ],
)
def test_refuses_what_fsx_refuses(account: Account, changes: dict[str, Any], code: str, message: str) -> None:
    account.create()

    with pytest.raises(ServiceRefusedError, match=message) as refused:
        account.create(**changes)

    assert refused.value.code == code
    assert len(account.describe()) == 1


def test_tells_of_the_file_systems_of_templates_too(account: Account) -> None:
    account.systems.list_watchers()[FSX_FILE_SYSTEM].create("fs-0c", {**REQUEST, "LustreConfiguration": {}})

    (found,) = account.describe()

    assert (found["FileSystemId"], found["Lifecycle"], found["Tags"]) == ("fs-0c", "AVAILABLE", REQUEST["Tags"])
    assert dict(account.lustre.list_tags()) == {name_arn("fs-0c"): REQUEST["Tags"]}


def test_bills_what_is_available(account: Account) -> None:
    name = account.create()["FileSystemId"]
    creating = account.lustre.read_rates()
    account.now += CREATING_SECONDS
    available = account.lustre.read_rates()
    account.delete(name)

    assert creating == account.lustre.read_rates() == {}
    assert {key: rate * 730 * 3600 for key, rate in available.items()} == {
        ("fsx-scratch-gb-month", f"file system {name}"): pytest.approx(1200)
    }


def test_needs_the_roles_that_fsx_makes_and_the_tags_that_it_sets() -> None:
    needs = {need.action: need for need in list_lustre_needs("CreateFileSystem", REQUEST)}

    assert needs.keys() == {
        "fsx:CreateFileSystem",
        "iam:CreateServiceLinkedRole",
        "iam:AttachRolePolicy",
        "iam:PutRolePolicy",
        "s3:ListBucket",
    }
    assert needs["fsx:CreateFileSystem"].context["aws:RequestTag/headrace:execution"] == "run-1"
    assert needs["s3:ListBucket"].resource == "arn:aws:s3:::raw"
