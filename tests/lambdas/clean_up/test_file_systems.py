"""File systems that an execution leaves are found by its tags, and deleted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.clean_up.executions import Request
from lambdas.clean_up.file_systems import delete_file_systems, has_made_file_systems
from lambdas.clean_up.sagemaker import Aftermath

MADE, LATER = (datetime(2026, 11, 28, hour, tzinfo=UTC) for hour in (12, 14))
TAGS = {"environment": "dev", "workload": "images", "headrace:execution": "run-1"}


def list_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def ask(tags: Mapping[str, str] = TAGS) -> Request:
    return Request(operation="createFileSystem", arguments={"Tags": list_tags(tags)}, result={})


class Fsx:
    """File systems by their ids, each with its tags, and how often each is refused to be deleted, with which error."""

    made: Mapping[str, datetime] = {}

    def __init__(self, systems: Mapping[str, Mapping[str, str]], *refusals: str, lifecycle: str = "AVAILABLE") -> None:
        self.systems = systems
        self.refusals = list(refusals)
        self.lifecycle = lifecycle
        self.deleted: list[str] = []

    def get_paginator(self, _operation: str) -> "Fsx":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [
            {
                "FileSystems": [
                    {
                        "FileSystemId": name,
                        "Lifecycle": self.lifecycle,
                        "CreationTime": self.made.get(name, MADE),
                        "Tags": list_tags(tags),
                    }
                ]
            }
            for name, tags in self.systems.items()
        ]

    def delete_file_system(self, FileSystemId: str) -> None:  # noqa: N803
        if self.refusals:
            raise ClientError({"Error": {"Code": self.refusals.pop(0), "Message": "no"}}, "DeleteFileSystem")
        self.deleted.append(FileSystemId)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def delete(client: Fsx, *requests: Request, patience: int = 5, redriven: datetime | None = None) -> Aftermath:
    found = Aftermath()
    left = iter([*[False] * patience, True])
    delete_file_systems(
        client,
        execution="run-1",
        requests=requests or [ask()],
        found=found,
        give_up=lambda: next(left, True),
        find_redrive=lambda: redriven,
    )
    return found


def test_looks_at_fsx_only_where_a_task_has_asked_for_one() -> None:
    other = Request(operation="createTrainingJob", arguments={}, result={})

    assert has_made_file_systems([other, ask()])
    assert not has_made_file_systems([other])


def test_deletes_what_has_the_tags_of_the_request_and_nothing_else() -> None:
    client = Fsx(
        {
            "fs-ours": {**TAGS, "cost-centre": "7"},
            "fs-redriven": TAGS,
            "fs-of-another-execution": {**TAGS, "headrace:execution": "run-2"},
            "fs-of-another-environment": {**TAGS, "environment": "prod"},
            "fs-of-somebody-else": {},
        }
    )

    found = delete(client)

    assert client.deleted == ["fs-ours", "fs-redriven"]
    assert (found.removed, found.left) == (["FileSystem fs-ours", "FileSystem fs-redriven"], [])


def test_goes_by_the_execution_alone_where_the_request_was_cut_off() -> None:
    client = Fsx({"fs-ours": TAGS, "fs-other": {}})

    delete(client, Request(operation="createFileSystem", arguments={}, result={}))

    assert client.deleted == ["fs-ours"]


def test_leaves_what_is_being_deleted() -> None:
    client = Fsx({"fs-ours": TAGS}, lifecycle="DELETING")

    assert (delete(client).removed, client.deleted) == ([], [])


def test_leaves_what_the_execution_has_made_since_it_was_redriven() -> None:
    client = Fsx({"fs-before": TAGS, "fs-since": TAGS})
    client.made = {"fs-since": LATER}

    delete(client, redriven=datetime(2026, 11, 28, 13, tzinfo=UTC))

    assert client.deleted == ["fs-before"]


def test_waits_until_one_that_is_being_made_can_be_deleted() -> None:
    client = Fsx({"fs-ours": TAGS}, "BadRequest", "BadRequest", lifecycle="CREATING")

    assert delete(client).removed == ["FileSystem fs-ours"]


def test_takes_one_that_is_gone_for_deleted() -> None:
    assert delete(Fsx({"fs-ours": TAGS}, "FileSystemNotFound")).left == []


@pytest.mark.parametrize(("refusals", "patience"), [(["AccessDeniedException"], 5), (["BadRequest"] * 3, 1)])
def test_says_what_it_could_not_delete(refusals: list[str], patience: int) -> None:
    found = delete(Fsx({"fs-ours": TAGS}, *refusals), patience=patience)

    assert found.removed == []
    assert [text.partition(":")[0] for text in found.left] == ["FileSystem fs-ours"]
