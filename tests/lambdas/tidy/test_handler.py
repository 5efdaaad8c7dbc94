"""The function deletes what is ours, old and unused, and nothing else."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

GROUP = "headrace-dev-bigmart"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"
NOW = datetime(2026, 11, 28, tzinfo=UTC)
OURS = {"environment": "dev", "workload": "bigmart"}


def version_arn(number: int, group: str = GROUP) -> str:
    return f"{ARN}:model-package/{group}/{number}"


class Account:
    """What an account has of SageMaker, by the requests of a real client; each thing is an hour younger than the last.

    Args:
        denied: Names that cannot be deleted.
    """

    def __init__(self, denied: Iterable[str] = ()) -> None:
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self._denied = set(denied)
        self._made = NOW - timedelta(days=900)
        self.client = boto3.client(
            "sagemaker", region_name="eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret"
        )
        self.client.meta.events.register("before-call.sagemaker", self._answer)

    def add(self, number: int, *, group: str = GROUP, tags: dict[str, str] = OURS, at: str = "", **facts: str) -> None:
        """Add a version, its model and the configuration of that; the facts are the version's, also where it served."""
        arn, name = version_arn(number, group), f"run-{number}" if group == GROUP else f"{group}-{number}"
        status = facts.pop("status", "Approved")
        facts |= {f"served-at:{at}": facts["served"]} if at else {}
        self.versions[arn] = {
            "ModelPackageArn": arn,
            "ModelPackageVersion": number,
            "ModelApprovalStatus": status,
            "CreationTime": self._tell_time(),
            "CustomerMetadataProperties": {f"headrace:{fact}": value for fact, value in facts.items()},
        }
        self.models[name] = {
            "ModelName": name,
            "ModelArn": f"{ARN}:model/{name}",
            "CreationTime": self._tell_time(),
            "PrimaryContainer": {"ModelPackageName": arn},
        }
        self.add_config(name, name, tags=tags)
        self.tags[f"{ARN}:model/{name}"] = tags

    def add_config(self, name: str, *models: str, tags: dict[str, str] = OURS) -> None:
        self.configs[name] = {
            "EndpointConfigName": name,
            "EndpointConfigArn": f"{ARN}:endpoint-config/{name}",
            "CreationTime": self._tell_time(),
            "ProductionVariants": [{"VariantName": model, "ModelName": model} for model in models],
        }
        self.tags[f"{ARN}:endpoint-config/{name}"] = tags

    def serve(self, config: str, endpoint: str = "shop", pending: str = "") -> None:
        self.endpoints[endpoint] = {
            "EndpointName": endpoint,
            "EndpointConfigName": config,
            **({"PendingDeploymentSummary": {"EndpointConfigName": pending}} if pending else {}),
        }

    def list_left(self) -> tuple[list[str], list[str], list[int]]:
        """The configurations, the models and the versions of the group that are left."""
        ours = [each["ModelPackageVersion"] for arn, each in self.versions.items() if f"/{GROUP}/" in arn]
        return sorted(self.configs), sorted(self.models), sorted(ours)

    def _tell_time(self) -> datetime:
        self._made += timedelta(hours=1)
        return self._made

    def _answer(self, model: Any, params: Any, **_: Any) -> Any:
        try:
            return SimpleNamespace(status_code=200), self._do(model.name, json.loads(params["body"]))
        except KeyError:
            return self._refuse("ValidationException", "Could not find it.")
        except PermissionError as error:
            return self._refuse("AccessDeniedException", str(error))

    def _refuse(self, code: str, message: str) -> Any:
        return SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}

    def _do(self, operation: str, request: dict[str, Any]) -> Any:
        kinds: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
            "Endpoint": (self.endpoints, "Endpoints"),
            "EndpointConfig": (self.configs, "EndpointConfigs"),
            "Model": (self.models, "Models"),
            "ModelPackage": (self.versions, "ModelPackageSummaryList"),
        }
        if operation == "ListTags":
            return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags[request["ResourceArn"]].items()]}
        for kind, (found, key) in kinds.items():
            if operation == f"List{kind}s":
                group = request.get("ModelPackageGroupName", "")
                return {key: [each for name, each in reversed(found.items()) if group in name]}
            if operation == f"Describe{kind}":
                return found[request[f"{kind}Name"]]
            if operation == f"Delete{kind}":
                name = request[f"{kind}Name"]
                if name in self._denied:
                    raise PermissionError(f"not authorized to delete {name}")
                del found[name]
                return {}
        raise AssertionError(operation)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, whose client is made when it is imported."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    from lambdas.tidy import handler as module

    return module


def tidy(handler: ModuleType, account: Account, keep: int = 2, made_before: datetime = NOW) -> dict[str, Any]:
    answer: dict[str, Any] = handler.Tidying(
        group=GROUP, tags=OURS, keep=keep, made_before=made_before, sagemaker=account.client
    ).tidy()
    return answer


def fill(account: Account, count: int) -> None:
    for number in range(1, count + 1):
        account.add(number)


def names(*numbers: int) -> list[str]:
    return [f"run-{number}" for number in numbers]


def test_keeps_the_last_ones_and_tells_what_it_has_deleted(handler: ModuleType) -> None:
    account = Account()
    fill(account, 4)
    account.serve("run-4")

    answer = tidy(handler, account)

    assert account.list_left() == (names(3, 4), names(3, 4), [3, 4])
    assert answer == {
        "EndpointConfigs": names(1, 2),
        "Models": names(1, 2),
        "ModelPackages": [version_arn(1), version_arn(2)],
        "Left": "",
    }


@pytest.mark.parametrize("pending", [False, True])
def test_keeps_whatever_any_endpoint_uses_or_is_about_to(handler: ModuleType, pending: bool) -> None:
    account = Account()
    fill(account, 5)
    account.serve("run-5")
    if pending:
        account.serve("run-5", "other", pending="run-2")
    else:
        account.serve("run-2", "other")

    tidy(handler, account, keep=1)

    assert account.list_left() == (names(2, 5), names(2, 5), [2, 5])


def test_keeps_the_version_to_go_back_to_and_the_one_that_served_before(handler: ModuleType) -> None:
    account = Account()
    account.add(1, served="2026-01-01", endpoint="shop")
    account.add(2, served="2026-03-01", endpoint="shop")
    account.add(3, served="2026-02-01", endpoint="shop")
    account.add(4)
    account.add(5, served="2026-04-01", endpoint="shop", parent=version_arn(1))
    account.serve("run-5")

    tidy(handler, account, keep=1)

    assert account.list_left()[2] == [1, 2, 5]


def test_keeps_the_version_to_go_back_to_at_each_endpoint(handler: ModuleType) -> None:
    account = Account()
    account.add(1, served="2026-03-01", endpoint="shop", at="shop")
    account.add(2, served="2026-05-01", endpoint="shop", at="trial")
    account.add(3, served="2026-02-01", endpoint="shop", at="shop")
    account.add(4, served="2026-06-01", endpoint="shop", at="shop")
    account.serve("run-4", "Shop")

    tidy(handler, account, keep=1)

    assert account.list_left()[2] == [1, 4]


def test_leaves_versions_that_a_person_is_to_judge(handler: ModuleType) -> None:
    account = Account()
    account.add(1, status="PendingManualApproval")
    account.add(2, status="Rejected")
    account.add(3)
    account.serve("run-3")

    tidy(handler, account, keep=1)

    assert account.list_left()[2] == [1, 3]


def test_never_touches_what_is_not_ours(handler: ModuleType) -> None:
    account = Account()
    account.add(1, group=f"{GROUP}-eu")
    account.add(1, group="x")
    account.models["by-hand"] = {
        **account.models["x-1"],
        "ModelName": "by-hand",
        "PrimaryContainer": {"Image": "theirs"},
    }
    account.add_config("by-hand", "by-hand")
    account.add_config("empty")
    account.add(1, tags={"workload": "images"})
    account.add(2)
    account.add_config("mixed", "run-2", "by-hand")
    account.add(3)
    account.serve("run-3")

    tidy(handler, account, keep=1)

    theirs = ["by-hand", f"{GROUP}-eu-1", "x-1"]
    # Somebody else's configuration names the model of version 2, and the model of version 1 has another's tag.
    assert account.list_left() == (
        sorted([*theirs, "empty", "mixed", *names(1, 3)]),
        sorted([*theirs, *names(1, 2, 3)]),
        [1, 2, 3],
    )
    assert {version_arn(1, f"{GROUP}-eu"), version_arn(1, "x")} <= account.versions.keys()


def test_leaves_what_an_execution_that_still_runs_may_have_made(handler: ModuleType) -> None:
    account = Account()
    fill(account, 3)
    account.serve("run-3")

    tidy(handler, account, keep=1, made_before=account.versions[version_arn(2)]["CreationTime"])

    assert account.list_left() == (names(2, 3), names(2, 3), [2, 3])


def test_goes_on_when_something_cannot_be_deleted_and_tells_it(handler: ModuleType) -> None:
    account = Account(denied=["run-1"])
    fill(account, 3)
    account.serve("run-3")

    answer = tidy(handler, account, keep=1)

    # The model stays for its configuration, and the version for its model.
    assert account.list_left() == (names(1, 3), names(1, 3), [1, 3])
    assert "run-1: An error occurred (AccessDeniedException)" in answer["Left"]


def test_deletes_nothing_when_it_is_not_known_what_an_endpoint_uses(handler: ModuleType) -> None:
    account = Account()
    fill(account, 3)
    account.serve("gone")

    answer = tidy(handler, account, keep=1)

    assert account.list_left() == (names(1, 2, 3), names(1, 2, 3), [1, 2, 3])
    assert answer["Left"] == "nothing is deleted, because an endpoint has the configuration gone, which is gone"


def test_deletes_so_many_at_once_and_goes_on_the_next_time(handler: ModuleType) -> None:
    account = Account()
    fill(account, handler.MOST_DELETED + 4)
    account.serve(f"run-{handler.MOST_DELETED + 4}")

    assert tidy(handler, account)["Models"] == names(*range(1, handler.MOST_DELETED + 1))
    assert len(tidy(handler, account)["Models"]) == 2


@pytest.mark.parametrize(
    ("event", "left"),
    [
        ({}, [4]),
        ({"Time": (NOW - timedelta(days=900) + timedelta(hours=60)).isoformat()}, [4]),
        ({"Time": (NOW - timedelta(days=900)).isoformat()}, [1, 2, 3, 4]),
    ],
    ids=["now", "later", "before"],
)
def test_reads_what_it_is_to_do_from_its_environment_and_the_time_from_its_event(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch, event: dict[str, str], left: list[int]
) -> None:
    account = Account()
    fill(account, 4)
    account.serve("run-4")
    monkeypatch.setattr(handler, "_SAGEMAKER", account.client)
    for name, value in {"GROUP": GROUP, "TAGS": json.dumps(OURS), "KEEP": "1"}.items():
        monkeypatch.setenv(f"TIDY_{name}", value)
    monkeypatch.setenv("TIDY_HOURS", "6")

    handler.handle(event, None)

    assert account.list_left()[2] == left
