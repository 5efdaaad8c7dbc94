"""CloudFormation refuses what the account may not have, and what its Region lacks."""

import importlib
from typing import Any

import pytest

from headrace.local.engine.ministack.cloudformation import install_resources
from headrace.local.engine.ministack.limits import install_limits
from headrace.local.limits import Limits

FUNCTION = "AWS::Lambda::Function"


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """MiniStack's table of resource types, which a test may change."""
    module: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    table = dict(module._RESOURCE_HANDLERS)
    monkeypatch.setattr(module, "_RESOURCE_HANDLERS", table)
    monkeypatch.setattr(module, "_REPLACING_PROPERTIES", dict(module._REPLACING_PROPERTIES))
    monkeypatch.setattr(stacks, "_runs_on_worker_thread", stacks._runs_on_worker_thread)
    install_resources({})
    made: dict[str, Any] = {
        "create": lambda *_: ("made", {}),
        "update": lambda *_: ("updated", {}),
        "delete": lambda *_: None,
    }
    table[FUNCTION] = made
    table["AWS::S3ObjectLambda::AccessPoint"] = made
    return table


def test_leaves_everything_as_it_is_without_limits(handlers: dict[str, Any]) -> None:
    before = dict(handlers)

    install_limits(Limits())

    assert handlers == before


def test_does_not_know_a_type_that_the_region_lacks(handlers: dict[str, Any]) -> None:
    install_limits(Limits(region="ap-southeast-6"))

    assert "AWS::Lambda::Url" not in handlers
    assert "AWS::FSx::FileSystem" not in handlers
    assert FUNCTION in handlers


def test_refuses_lustre_where_the_region_has_only_older_file_systems(handlers: dict[str, Any]) -> None:
    install_limits(Limits(region="cn-north-1"))

    with pytest.raises(ValueError, match="neither PERSISTENT_2 nor SCRATCH_2"):
        handlers["AWS::FSx::FileSystem"]["create"]("FileSystem", {}, "stack")


def test_refuses_object_lambda_to_a_new_account(handlers: dict[str, Any]) -> None:
    install_limits(Limits.of("new-account", None))

    with pytest.raises(ValueError, match="S3 Object Lambda is available only to accounts that had used it"):
        handlers["AWS::S3ObjectLambda::AccessPoint"]["create"]("Training", {}, "stack")


def test_lets_a_new_account_reserve_no_concurrency(handlers: dict[str, Any]) -> None:
    install_limits(Limits.of("new-account", None))
    reserving = {"ReservedConcurrentExecutions": 1}

    for verb, arguments in (("create", ("Function", reserving)), ("update", ("function", {}, reserving))):
        with pytest.raises(ValueError, match=r"UnreservedConcurrentExecution below its minimum value of \[10\]"):
            handlers[FUNCTION][verb](*arguments, "stack")
    assert handlers[FUNCTION]["create"]("Function", {}, "stack") == ("made", {})


def test_lets_an_account_reserve_what_is_left_above_the_minimum(handlers: dict[str, Any]) -> None:
    install_limits(Limits({"Concurrent executions": 15}))

    assert handlers[FUNCTION]["create"]("Function", {"ReservedConcurrentExecutions": 5}, "stack") == ("made", {})
    with pytest.raises(ValueError, match="UnreservedConcurrentExecution"):
        handlers[FUNCTION]["create"]("Function", {"ReservedConcurrentExecutions": "6"}, "stack")
