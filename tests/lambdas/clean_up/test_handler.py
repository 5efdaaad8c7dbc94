"""The function removes what a failed execution has left half made, sends a notice, and ends it as it failed."""

import json
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.lambdas.clean_up.account import ARN, EXECUTION, MACHINE, Account

FAILURE = {"Error": "TrainFailed", "Cause": "Train: too few rows", "State": "Train", "Redrives": 0}
SERVING: dict[str, Any] = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
BEGUN, ENDED, LATER = (datetime(2026, 11, 28, 12, minute, tzinfo=UTC) for minute in (0, 2, 4))
TURN = "turns/shop"


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def handler(account: Account, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    from lambdas.clean_up import handler as module

    monkeypatch.delenv("ALARM_TOPIC_ARN", raising=False)
    monkeypatch.setattr(module, "_client", account.client)
    return module


def end(handler: ModuleType, *, redrives: int = 0, seconds_left: int = 900) -> None:
    """Call it as the state machine does, with an execution that then ends."""
    event = {"Execution": EXECUTION, "Redrives": redrives, "Failure": FAILURE}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds_left * 1000)
    with pytest.raises(Exception, match="Train: too few rows") as raised:
        handler.handle(event, context)
    assert raised.type.__name__ == "TrainFailed"


def follow(handler: ModuleType, seconds_left: int = 900, **detail: Any) -> None:
    """Call it as EventBridge does when an execution has ended."""
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds_left * 1000)
    ended = {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": int(ENDED.timestamp() * 1000)}
    handler.handle({"detail": {**ended, **detail}}, context)


@pytest.mark.parametrize("kind", ["TrainingJob", "ProcessingJob", "TransformJob"])
def test_stops_a_job_that_runs_and_no_other(account: Account, handler: ModuleType, kind: str) -> None:
    account.ask(kind, "run-1")
    completed: dict[str, Any] = {f"{kind}Status": "Completed"}
    account.ask(kind, "run-1-retry1", **completed)

    end(handler)

    assert account.calls == [(f"Stop{kind}", {f"{kind}Name": "run-1"})]
    assert account.notices[0]["Removed"] == [f"{kind} run-1"]
    assert [job["Name"] for job in account.notices[0]["Jobs"]] == ["run-1", "run-1-retry1"]


def test_deletes_the_model_and_the_configuration_that_serve_nothing(account: Account, handler: ModuleType) -> None:
    account.ask("Model", "run-1")
    account.ask("EndpointConfig", "run-1", ProductionVariants=[{"ModelName": "run-1"}])

    end(handler)

    assert account.found == {}
    assert account.notices[0]["Removed"] == ["EndpointConfig run-1", "Model run-1"]


@pytest.mark.parametrize("pending", [False, True])
def test_keeps_what_serves_or_is_about_to(account: Account, handler: ModuleType, pending: bool) -> None:
    account.ask("Model", "run-1")
    account.ask("EndpointConfig", "run-1", ProductionVariants=[{"ModelName": "run-1"}])
    serving: dict[str, Any] = {**SERVING, "PendingDeploymentSummary": {"EndpointConfigName": "run-1"}}
    account.add("Endpoint", "shop", **(serving if pending else {**SERVING, "EndpointConfigName": "run-1"}))
    account.request("updateEndpoint", {"EndpointName": "shop"})

    end(handler)

    assert account.calls == []
    assert account.notices[0]["Removed"] == []


def test_an_endpoint_that_is_being_deleted_keeps_nothing(account: Account, handler: ModuleType) -> None:
    account.ask("EndpointConfig", "run-1", ProductionVariants=[])
    account.add("Endpoint", "shop", EndpointStatus="Deleting", EndpointConfigName="run-1")
    account.request("updateEndpoint", {"EndpointName": "shop"})

    end(handler)

    assert account.list_done("Delete") == ["run-1"]


def test_keeps_what_a_stopped_endpoint_is_to_be_started_with(
    account: Account, handler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVED_NOTE_BUCKET", "work")
    monkeypatch.setenv("SERVED_NOTE_KEY", "served/shop")
    for name in ("run-1", "run-1-redrive1"):
        account.ask("Model", name)
        account.ask("EndpointConfig", name, ProductionVariants=[{"ModelName": name}])
    account.request("updateEndpoint", {"EndpointName": "shop"})
    account.objects["served/shop"] = json.dumps({"EndpointConfigName": "run-1"})

    end(handler)

    assert account.notices[0]["Removed"] == ["EndpointConfig run-1-redrive1", "Model run-1-redrive1"]


@pytest.mark.parametrize("refused", ["ListObjectsV2", "GetObject"])
def test_deletes_no_configuration_when_it_cannot_read_what_is_noted(
    account: Account, handler: ModuleType, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    monkeypatch.setenv("SERVED_NOTE_BUCKET", "work")
    monkeypatch.setenv("SERVED_NOTE_KEY", "served/shop")
    account.ask("EndpointConfig", "run-1", ProductionVariants=[])
    account.objects["served/shop"] = json.dumps({"EndpointConfigName": "run-1"})
    account.refused = {refused}

    end(handler)

    assert account.calls == []
    assert "it is not known which of them serve" in account.notices[0]["NotRemoved"][0]


def test_deletes_what_serves_nothing_where_nothing_is_noted(
    account: Account, handler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVED_NOTE_BUCKET", "work")
    monkeypatch.setenv("SERVED_NOTE_KEY", "served/shop")
    account.objects["served/shop-2"] = json.dumps({"EndpointConfigName": "run-1"})
    account.ask("EndpointConfig", "run-1", ProductionVariants=[])

    end(handler)

    assert account.notices[0]["Removed"] == ["EndpointConfig run-1"]


def test_deletes_an_endpoint_that_it_has_created_and_never_saw_in_service(
    account: Account, handler: ModuleType
) -> None:
    account.ask("Endpoint", "shop", EndpointStatus="Failed", EndpointConfigName="run-1")
    account.ask("EndpointConfig", "run-1", ProductionVariants=[])

    end(handler)

    assert account.notices[0]["Removed"] == ["Endpoint shop", "EndpointConfig run-1"]


def test_keeps_an_endpoint_that_it_has_seen_in_service(account: Account, handler: ModuleType) -> None:
    account.ask("Endpoint", "shop", **SERVING)
    account.request("describeEndpoint", {"EndpointName": "shop"}, SERVING)

    end(handler)

    assert account.calls == []


def test_deletes_an_endpoint_that_it_has_created_since_the_one_in_service_was_stopped(
    account: Account, handler: ModuleType
) -> None:
    account.request("createEndpoint", {"EndpointName": "shop"})
    account.request("describeEndpoint", {"EndpointName": "shop"}, SERVING)
    account.ask("Endpoint", "shop", EndpointStatus="Failed", EndpointConfigName="run-1-redrive1")

    end(handler)

    assert account.notices[0]["Removed"] == ["Endpoint shop"]


@pytest.mark.parametrize("tags", [{}, {"headrace:execution": "run-0"}, {"workload": "run-1"}])
def test_touches_nothing_that_has_not_its_tag(account: Account, handler: ModuleType, tags: dict[str, str]) -> None:
    account.ask("TrainingJob", "sales", tags=tags)
    account.ask("Model", "sales", tags=tags)
    account.ask("EndpointConfig", "sales", tags=tags)
    account.ask("Endpoint", "shop", tags=tags, EndpointStatus="Failed", EndpointConfigName="other")

    end(handler)

    assert account.calls == []
    assert (account.notices[0]["Jobs"], account.notices[0]["NotRemoved"]) == ([], [])


def test_touches_nothing_that_it_has_not_asked_for(account: Account, handler: ModuleType) -> None:
    account.add("TrainingJob", "run-1")
    account.add("Model", "run-1")

    end(handler)

    assert account.calls == []


def test_what_is_gone_already_is_no_trouble(account: Account, handler: ModuleType) -> None:
    account.request("createTrainingJob", {"TrainingJobName": "run-1"})
    account.request("createModel", {"ModelName": "run-1"})

    end(handler)

    assert account.notices[0]["NotRemoved"] == []


@pytest.mark.parametrize("refused", ["StopTrainingJob", "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"])
def test_what_cannot_be_removed_does_not_keep_the_rest(account: Account, handler: ModuleType, refused: str) -> None:
    account.refused = {refused}
    account.ask("TrainingJob", "run-1")
    account.ask("Endpoint", "shop", EndpointStatus="Failed", EndpointConfigName="none")
    account.ask("EndpointConfig", "run-1")
    account.ask("Model", "run-1")
    account.request("putObject", {"Bucket": "work", "Key": TURN})
    account.objects[TURN] = json.dumps({"Execution": EXECUTION})

    end(handler)

    done = {operation for operation, _ in account.calls}
    assert done == {"StopTrainingJob", "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteObject"} - {
        refused
    }
    (left,) = account.notices[0]["NotRemoved"]
    assert f"not authorized to perform {refused}" in left


def test_deletes_no_model_when_it_is_not_known_what_serves(account: Account, handler: ModuleType) -> None:
    account.refused = {"DescribeEndpoint"}
    account.request("updateEndpoint", {"EndpointName": "shop"})
    account.ask("EndpointConfig", "run-1")
    account.ask("Model", "run-1")

    end(handler)

    assert account.calls == []
    assert "it is not known which of them serve" in account.notices[0]["NotRemoved"][0]


def test_asks_for_no_endpoint_that_was_only_looked_at(account: Account, handler: ModuleType) -> None:
    account.refused = {"DescribeEndpoint"}
    account.request("describeEndpoint", {"EndpointName": "shop"})

    end(handler)

    assert account.notices[0]["NotRemoved"] == []


def test_says_what_is_still_stopping_when_there_is_no_more_time(account: Account, handler: ModuleType) -> None:
    account.refused = {"StopTrainingJob"}
    account.ask("TrainingJob", "run-1", TrainingJobStatus="Stopping")
    account.ask("Endpoint", "shop", EndpointStatus="Creating", EndpointConfigName="run-1")

    end(handler, seconds_left=30)

    assert account.notices[0]["NotRemoved"][-1] == "Endpoint shop: is Creating"


def test_is_called_again_where_something_cannot_be_removed_yet(account: Account, handler: ModuleType) -> None:
    account.ask("Endpoint", "shop", EndpointStatus="Creating", EndpointConfigName="run-1")

    with pytest.raises(handler.TooEarlyError, match="Endpoint shop: is Creating"):
        follow(handler, seconds_left=30)

    assert account.notices[0]["NotRemoved"] == ["Endpoint shop: is Creating"]


def test_gives_its_own_turn_back_and_no_other(account: Account, handler: ModuleType) -> None:
    for key, owner in ((TURN, EXECUTION), ("turns/other", f"{EXECUTION}0")):
        account.request("putObject", {"Bucket": "work", "Key": key})
        account.objects[key] = json.dumps({"Execution": owner})

    end(handler)

    assert list(account.objects) == ["turns/other"]
    assert account.notices[0]["Removed"] == [TURN]


def test_gives_back_one_turn_after_the_other(account: Account, handler: ModuleType) -> None:
    account.request("putObject", {"Bucket": "work", "Key": TURN})
    for since in ("09:00", "10:00"):
        account.objects[TURN] = json.dumps({"Execution": EXECUTION, "Since": since})

        end(handler)

        assert account.objects == {}
    assert [notice["NotRemoved"] for notice in account.notices] == [[], []]


def test_tells_what_failed_where_and_what_it_has_cost(account: Account, handler: ModuleType) -> None:
    times: dict[str, Any] = {"ProcessingStartTime": BEGUN, "ProcessingEndTime": ENDED}
    account.ask("ProcessingJob", "run-1", ProcessingJobStatus="Completed", **times)
    account.ask("TrainingJob", "run-1", TrainingJobStatus="Failed", BillableTimeInSeconds=70)

    end(handler)

    (notice,) = account.notices
    jobs = notice.pop("Jobs")
    assert [(job["Kind"], job["BilledSeconds"]) for job in jobs] == [("ProcessingJob", 120), ("TrainingJob", 70)]
    assert notice == {
        "Execution": "run-1",
        "ExecutionArn": EXECUTION,
        "StateMachine": MACHINE,
        "Status": "FAILED",
        "Error": "TrainFailed",
        "Cause": "Train: too few rows",
        "State": "Train",
        "Log": "/aws/sagemaker/TrainingJobs/run-1",
        "BilledSeconds": 190,
        "Removed": [],
        "NotRemoved": [],
    }


def test_tells_the_topic_of_alarms_in_words(
    account: Account, handler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALARM_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:alarms")
    account.refused = {"StopTrainingJob"}
    account.ask("TrainingJob", "run-1")

    end(handler)

    (message,) = account.messages
    assert message["Subject"] == f"Headrace: {MACHINE} FAILED"
    lines = message["Message"].splitlines()
    assert lines[:3] == [
        f"Execution run-1 of {MACHINE}: FAILED",
        "State: Train",
        "TrainFailed: Train: too few rows",
    ]
    assert lines[-1].startswith("NOT removed, look at it: TrainingJob run-1: ")


@pytest.mark.parametrize("refused", ["PutEvents", "GetExecutionHistory", "ListTags", "DescribeTrainingJob"])
def test_ends_the_execution_as_it_failed_whatever_goes_wrong(
    account: Account, handler: ModuleType, refused: str
) -> None:
    account.refused = {refused}
    account.ask("TrainingJob", "run-1")

    end(handler)

    assert len(account.notices) == (0 if refused == "PutEvents" else 1)
    assert all(refused in notice["NotRemoved"][0] for notice in account.notices)


def test_cleans_up_and_lets_a_redriven_execution_go_on(account: Account, handler: ModuleType) -> None:
    account.ask("TrainingJob", "run-1")

    event = {"Execution": EXECUTION, "Redrives": 1, "Failure": FAILURE}
    answer = handler.handle(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000))

    assert answer == {}
    assert account.list_done("Stop") == ["run-1"]
    # It was sent when the execution failed.
    assert account.notices == []


def test_ends_an_execution_that_fails_again_after_its_redrive(account: Account, handler: ModuleType) -> None:
    event = {"Execution": EXECUTION, "Redrives": 1, "Failure": {**FAILURE, "Redrives": 1}}

    with pytest.raises(Exception, match="too few rows"):
        handler.handle(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000))

    assert len(account.notices) == 1


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_cleans_up_after_an_execution_that_was_broken_off(account: Account, handler: ModuleType, status: str) -> None:
    account.enter("Train")
    account.ask("TrainingJob", "run-1")
    account.enter("Failed")

    follow(handler, status=status)

    assert account.list_done("Stop") == ["run-1"]
    assert (account.notices[0]["Status"], account.notices[0]["State"]) == (status, "Train")


@pytest.mark.parametrize("error", ["Lambda.TooManyRequestsException", "States.Timeout", "Sandbox.Timedout"])
def test_cleans_up_where_it_did_not_get_to_its_end_before(account: Account, handler: ModuleType, error: str) -> None:
    account.ask("TrainingJob", "run-1")

    follow(handler, status="FAILED", error=error)

    assert account.list_done("Stop") == ["run-1"]


@pytest.mark.parametrize(("redriven", "is_deleted"), [(None, True), (BEGUN, True), (LATER, False)])
def test_leaves_a_file_system_that_was_made_after_a_redrive(
    account: Account, handler: ModuleType, redriven: datetime | None, is_deleted: bool
) -> None:
    tags = [{"Key": "headrace:execution", "Value": "run-1"}]
    made = {"FileSystemId": "fs-0123456789abcdef0", "Lifecycle": "AVAILABLE", "CreationTime": LATER, "Tags": tags}
    account.file_systems = [made]
    account.redriven = redriven
    account.request("createFileSystem", {"Tags": tags})

    follow(handler)

    assert account.file_systems == ([] if is_deleted else [made])
    assert account.notices[0]["NotRemoved"] == []


def test_does_nothing_again_for_an_execution_that_it_has_ended(account: Account, handler: ModuleType) -> None:
    account.ask("TrainingJob", "run-1")

    follow(handler, status="FAILED", error="TrainFailed")

    assert (account.calls, account.notices) == ([], [])


def test_changes_nothing_after_an_execution_that_succeeded(account: Account, handler: ModuleType) -> None:
    account.ask("TrainingJob", "run-1", TrainingJobStatus="Completed", BillableTimeInSeconds=70)
    account.ask("Model", "run-1")

    follow(handler, status="SUCCEEDED", output='{"Outcome": "SERVING"}')

    assert account.calls == []
    (notice,) = account.notices
    assert (notice["Outcome"], notice["BilledSeconds"]) == ("SERVING", 70)
    assert "Error" not in notice
    assert f"{ARN}:model/run-1" in account.tags
