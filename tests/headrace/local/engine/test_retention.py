"""CloudFormation on the local cloud deletes, names and imports as on AWS."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.local.engine.ministack.retention import BUCKET, LOG_GROUP, REPOSITORY, install_retention
from headrace.local.engine.resources import EFS_FILE_SYSTEM

NAMED = {LOG_GROUP: "LogGroupName", REPOSITORY: "RepositoryName"}


@pytest.fixture
def provisioners(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MiniStack's provisioners, taught; whatever a test makes goes with it."""
    module: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    changes: Any = importlib.import_module("ministack.services.cloudformation.changesets")
    monkeypatch.setattr(module, "_RESOURCE_HANDLERS", dict(module._RESOURCE_HANDLERS))
    monkeypatch.setattr(changes, "_IMPORT_LOOKUPS", dict(changes._IMPORT_LOOKUPS))
    install_retention()
    yield module
    for service in ("s3", "ecr", "efs", "cloudwatch_logs"):
        importlib.import_module(f"ministack.services.{service}").reset()


def find_problem(kind: str, **identifier: str) -> str | None:
    changes: Any = importlib.import_module("ministack.services.cloudformation.changesets")
    problem: str | None = changes._import_not_found(
        [{"ResourceType": kind, "LogicalResourceId": "Some", "ResourceIdentifier": identifier}]
    )
    return problem


def test_deletes_no_bucket_that_holds_an_object_or_an_earlier_version(provisioners: Any) -> None:
    s3: Any = importlib.import_module("ministack.services.s3")
    name, _ = provisioners._provision_resource(
        BUCKET, "Raw", {"VersioningConfiguration": {"Status": "Enabled"}}, "stack"
    )
    s3._put_object(name, "a.csv", b"1", {})
    s3._delete_object(name, "a.csv", {})

    with pytest.raises(ValueError, match="The bucket you tried to delete is not empty"):
        provisioners._delete_resource(BUCKET, name, {})

    assert name in s3._buckets


def test_deletes_an_empty_bucket_and_one_that_is_gone_already(provisioners: Any) -> None:
    s3: Any = importlib.import_module("ministack.services.s3")
    name, _ = provisioners._provision_resource(BUCKET, "Raw", {}, "stack")

    provisioners._delete_resource(BUCKET, name, {})
    provisioners._delete_resource(BUCKET, name, {})

    assert name not in s3._buckets


@pytest.mark.parametrize(("kind", "name"), NAMED.items())
def test_makes_nothing_under_a_name_that_is_taken(provisioners: Any, kind: str, name: str) -> None:
    provisioners._provision_resource(kind, "First", {name: "kept"}, "stack")

    with pytest.raises(ValueError, match=f"'{kind}' with identifier '.*{name}\":\"kept\".*' already exists"):
        provisioners._provision_resource(kind, "Second", {name: "kept"}, "stack")


@pytest.mark.parametrize("kind", NAMED)
def test_draws_another_name_for_each_that_its_template_gives_none(provisioners: Any, kind: str) -> None:
    """One that was kept when its stack let go of it would be made again under its own name, and be empty."""
    kept, made = (provisioners._provision_resource(kind, "Some", {}, "stack")[0] for _ in range(2))

    assert kept != made
    tagged = {"Tags": [{"Key": "team", "Value": "vision"}]}
    assert provisioners._update_resource(kind, made, {}, tagged, "stack", "Some", {})[0] == made


@pytest.mark.parametrize(
    ("kind", "name", "attribute"),
    [(REPOSITORY, "RepositoryName", "RepositoryUri"), (EFS_FILE_SYSTEM, "FileSystemId", "Arn")],
)
def test_imports_repositories_and_file_systems(provisioners: Any, kind: str, name: str, attribute: str) -> None:
    kept, attributes = provisioners._provision_resource(kind, "Some", {}, "stack")

    adopted, described = provisioners._import_resource(kind, {name: kept})

    assert (adopted, described[attribute]) == (kept, attributes[attribute])
    assert find_problem(kind, **{name: kept}) is None
    assert find_problem(kind, **{name: "other"}) == f"Resource of type '{kind}' with identifier 'other' was not found."


def test_goes_through_the_tables_and_functions_that_are_changed(provisioners: Any) -> None:
    assert "_s3._buckets.pop" in inspect.getsource(provisioners._s3_delete)
    assert list(inspect.signature(provisioners._efs_file_system_attrs).parameters) == ["fs"]
    assert '_RESOURCE_HANDLERS[resource_type]["import"]' in inspect.getsource(provisioners._import_resource)
