"""Executions that stop the endpoint or start it again, executed by the engine's interpreter."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace import contract
from headrace.local.engine.asl.failures import StateFailedError
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, read_definition, template_of
from tests.stacks.executions import EXECUTIONS, Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS, MISSING, SERVING, VERSION
from tests.stacks.pipeline.test_executions import MADE as COMPLETE
from tests.stacks.turns_held import TurnsHeld

NOTE = "served/headrace-dev-bigmart"
TURN = "turns/headrace-dev-bigmart"
OTHER = f"{EXECUTIONS}:other"
LONG_AGO = "2020-01-01T00:00:00Z"
STANDING = {"EndpointStatus": "InService", "EndpointConfigName": "run-0", "CreationTime": LONG_AGO}
CONFIG = {"ProductionVariants": [{"ModelName": "model-0", "InstanceType": "ml.m5.large"}], "CreationTime": LONG_AGO}
DELETING = {**STANDING, "EndpointStatus": "Deleting"}
NOTED = {"EndpointConfigName": "run-0", "ModelName": "model-0", "ModelPackageArn": VERSION}
SCALING = ("describeScalingPolicies", "registerScalableTarget", "putScalingPolicy", "deregisterScalableTarget")
STOP, START = {"EndpointAction": "STOP"}, {"EndpointAction": "START"}
MADE = {**COMPLETE, "ModelApprovalStatus": "Approved"}
NOTES_ARCHIVE = {**MADE, "CustomerMetadataProperties": {"headrace:archive": "0a1b-2 first/+_"}}
HAS_VARIABLES = {
    **MADE,
    "InferenceSpecification": {
        "Containers": [{"ModelDataUrl": "s3://work/model.tar.gz", "Environment": {"DEBUG": "1"}}]
    },
}


def answer(*endpoint: Any, **answers: Any) -> dict[str, list[Any]]:
    """What SageMaker answers of an endpoint that serves version 1, as it is found one time after the other."""
    return {
        **ANSWERS,
        **{operation: [{"ScalingPolicies": []}] for operation in SCALING},
        "describeEndpoint": list(endpoint),
        "describeEndpointConfig": [CONFIG],
        "describeModel": [{"PrimaryContainer": {"ModelPackageName": VERSION}}],
        "deleteEndpoint": [{}],
        "invoke": [{"Payload": {}}],
        "describeModelPackage": [MADE],
        **answers,
    }


def run(
    given: Mapping[str, Any],
    answers: Mapping[str, list[Any]],
    turns: TurnsHeld | None = None,
    *,
    variant: str = "hours",
    **more: Any,
) -> Execution:
    definition = fill_tokens(read_definition(template_of("BigMart", variant).to_json()))
    return execute(definition, given, answers, turns=turns or TurnsHeld(), **more)


def read_note(turns: TurnsHeld) -> dict[str, str]:
    note: dict[str, str] = json.loads(turns.held[NOTE])
    assert note.pop("Since")
    return note


def hold_note(config: str = "run-0") -> TurnsHeld:
    return TurnsHeld({NOTE: json.dumps({**NOTED, "EndpointConfigName": config, "Since": "2026-01-01T00:00:00Z"})})


def test_deletes_the_endpoint_and_notes_what_served() -> None:
    turns = TurnsHeld()

    execution = run({**STOP, "Comment": "by hand"}, answer(STANDING, DELETING, MISSING), turns)

    assert (execution.status, execution.output) == (
        "SUCCEEDED",
        {
            "Outcome": "STOPPED",
            "EndpointName": "headrace-dev-bigmart",
            "EndpointConfigName": "run-0",
            "ModelPackageArn": VERSION,
            "Reason": "by hand",
        },
    )
    assert dict(execution.requests)["deleteEndpoint"] == {"EndpointName": "headrace-dev-bigmart"}
    assert not {"createTrainingJob", "deleteEndpointConfig", "deleteModel"} & {*execution.list_operations()}
    assert read_note(turns) == NOTED
    assert turns.held.keys() == {NOTE}


def test_takes_an_endpoint_out_of_scaling_once_it_is_gone() -> None:
    operations = run(STOP, answer(STANDING, DELETING, MISSING)).list_operations()

    assert operations.index("deregisterScalableTarget") > operations.index("deleteEndpoint")


def test_has_an_endpoint_scaled_as_before_that_was_not_deleted() -> None:
    refused = TaskError("SageMaker.SageMakerException", "not authorized to perform: sagemaker:DeleteEndpoint")

    operations = run(STOP, answer(STANDING, deleteEndpoint=[refused])).list_operations()

    assert "deregisterScalableTarget" not in operations


def test_has_nothing_to_stop_where_there_is_no_endpoint() -> None:
    turns = hold_note()

    execution = run(STOP, answer(MISSING), turns)

    assert (execution.output["Outcome"], execution.output["Reason"]) == (
        "NOTHING_TO_STOP",
        "there is no endpoint headrace-dev-bigmart",
    )
    assert "deleteEndpoint" not in execution.list_operations()
    assert read_note(turns) == NOTED


def test_stops_an_endpoint_that_is_being_changed_once_it_serves() -> None:
    changing = {**STANDING, "EndpointStatus": "Updating", "EndpointConfigName": "run-7"}
    turns = TurnsHeld()

    execution = run(STOP, answer(changing, changing, STANDING, MISSING), turns)

    assert (execution.output["Outcome"], execution.waits) == ("STOPPED", [30, 36])
    assert read_note(turns) == NOTED


def test_gives_up_on_an_endpoint_that_is_changed_for_ever() -> None:
    execution = run(STOP, answer({**STANDING, "EndpointStatus": "SystemUpdating"}))

    assert execution.error == "EndpointBusy"
    assert 3600 <= sum(execution.waits) < 3900
    assert len(execution.waits) < 30


@pytest.mark.parametrize("status", ["Failed", "UpdateRollbackFailed", "OutOfService"])
def test_deletes_what_does_not_serve_and_keeps_the_note_of_what_served_last(status: str) -> None:
    turns = hold_note("run-before")

    execution = run(STOP, answer({**STANDING, "EndpointStatus": status}, MISSING), turns)

    assert execution.output["Outcome"] == "STOPPED"
    assert read_note(turns)["EndpointConfigName"] == "run-before"


def test_says_why_an_endpoint_was_not_deleted() -> None:
    refused = TaskError("SageMaker.SageMakerException", "not authorized to perform: sagemaker:DeleteEndpoint")

    execution = run(STOP, answer(STANDING, deleteEndpoint=[refused]))

    assert execution.error == "EndpointNotDeleted"
    assert "is still InService. not authorized" in execution.cause


def test_waits_until_a_running_execution_has_served() -> None:
    turns = TurnsHeld({TURN: json.dumps({"Execution": OTHER, "Since": "2026-01-01T00:00:00Z"})}, {OTHER: "RUNNING"})

    class Ending(TurnsHeld):
        def run(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
            if operation == "describeExecution" and len(self.requests) > 20:
                self.statuses[OTHER] = "SUCCEEDED"
            return super().run(operation, arguments)

    execution = run(
        STOP, answer({**STANDING, "EndpointConfigName": "run-9"}, MISSING), Ending(turns.held, turns.statuses)
    )

    assert execution.output["EndpointConfigName"] == "run-9"
    assert sum(execution.waits) > 60


@pytest.mark.parametrize("action", [STOP, START])
def test_does_nothing_once_the_opposite_may_be_due(action: dict[str, str]) -> None:
    turns = TurnsHeld({TURN: json.dumps({"Execution": OTHER, "Since": "2026-01-01T00:00:00Z"})}, {OTHER: "RUNNING"})

    class Ending(TurnsHeld):
        def run(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
            if operation == "describeExecution" and len(self.requests) > 60:
                self.statuses[OTHER] = "SUCCEEDED"
            return super().run(operation, arguments)

    execution = run(
        {**action, "WithinSeconds": 3600}, answer(STANDING), Ending(turns.held, turns.statuses), variant="hours"
    )

    assert execution.error == "EndpointActionTooLate"
    assert "start an execution with EndpointAction alone" in execution.cause
    assert not {"deleteEndpoint", "createEndpoint"} & {*execution.list_operations()}


IDLE = {**STOP, "UnchangedSeconds": 86_400, "Comment": "it was not called for a day"}
LATELY = (datetime.now(UTC) - timedelta(hours=20)).isoformat()


@pytest.mark.parametrize("young", [{"endpoint": LATELY}, {"config": LATELY}, {"endpoint": 4e9}])
def test_leaves_what_was_put_there_lately_to_an_idle_stop_of_later(young: dict[str, Any]) -> None:
    standing = {**STANDING, "CreationTime": young.get("endpoint", LONG_AGO)}
    config = {**CONFIG, "CreationTime": young.get("config", LONG_AGO)}
    turns = hold_note("run-before")

    execution = run(IDLE, answer(standing, describeEndpointConfig=[config]), turns)

    assert (execution.output["Outcome"], execution.output["EndpointConfigName"]) == ("NOT_IDLE", "run-0")
    assert execution.output["Reason"] == "it has served this configuration for less than 86400 s"
    assert "deleteEndpoint" not in execution.list_operations()
    assert read_note(turns)["EndpointConfigName"] == "run-before"
    assert turns.held.keys() == {NOTE}


def test_stops_what_has_served_unchanged_for_longer() -> None:
    assert run(IDLE, answer(STANDING, MISSING)).output["Outcome"] == "STOPPED"


def test_starts_the_configuration_that_served_last() -> None:
    turns = hold_note()
    serving = {**STANDING}

    execution = run(START, answer(MISSING, MISSING, serving), turns)

    asked = dict(execution.requests)
    assert (execution.status, execution.output["Outcome"]) == ("SUCCEEDED", "STARTED")
    assert asked["createEndpoint"]["EndpointConfigName"] == "run-0"
    assert asked["updateModelPackage"]["ModelPackageArn"] == VERSION
    assert "registerScalableTarget" in asked
    assert not {"createModel", "createEndpointConfig", "createTrainingJob"} & asked.keys()
    assert (execution.output["ModelName"], execution.output["JobName"]) == ("model-0", "")
    assert read_note(turns) == NOTED


def test_asks_the_endpoint_golden_requests_after_it_was_started() -> None:
    note = {"EndpointConfigName": "run-0", "ModelName": "model-0", "ModelPackageArn": "", "Since": ""}
    turns = TurnsHeld({"served/headrace-dev-images": json.dumps(note)})
    definition = fill_tokens(read_definition(template_of("Images", "hours").to_json()))

    execution = execute(
        definition,
        START,
        answer(MISSING, MISSING, STANDING, invoke=[{"Payload": {"Wrong": 1, "Reason": "cat is not answered"}}]),
        turns=turns,
    )

    assert execution.error == "GoldenRequestsFailed"
    assert "createProcessingJob" not in execution.list_operations()


@pytest.mark.parametrize("status", ["InService", "Updating", "Creating"])
def test_starts_nothing_where_an_execution_has_made_the_endpoint_meanwhile(status: str) -> None:
    execution = run(START, answer({**STANDING, "EndpointStatus": status, "EndpointConfigName": "run-9"}), hold_note())

    assert (execution.output["Outcome"], execution.output["EndpointConfigName"]) == ("STANDING", "run-9")
    assert not {"createEndpoint", "updateEndpoint"} & {*execution.list_operations()}


def test_waits_until_an_endpoint_is_gone_that_somebody_is_deleting() -> None:
    execution = run(START, answer(DELETING, DELETING, MISSING, MISSING, STANDING), hold_note())

    assert (execution.output["Outcome"], execution.waits[:2]) == ("STARTED", [30, 36])
    assert dict(execution.requests)["createEndpoint"]["EndpointConfigName"] == "run-0"


def test_leaves_an_endpoint_that_has_failed_to_people() -> None:
    failed = {**STANDING, "EndpointStatus": "Failed", "FailureReason": "no capacity"}

    execution = run(START, answer(failed), hold_note())

    assert (execution.error, execution.cause) == (
        "EndpointUnusable",
        "endpoint headrace-dev-bigmart is Failed: delete it, and start it then. no capacity",
    )


def test_has_nothing_to_start_before_anything_has_served() -> None:
    turns = TurnsHeld()

    execution = run(START, answer(MISSING), turns)

    assert (execution.status, execution.output["Outcome"]) == ("SUCCEEDED", "NOTHING_TO_START")
    assert turns.held == {}


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
def test_does_not_start_a_version_whose_approval_was_taken_back_meanwhile(status: str) -> None:
    found = {"ModelPackageArn": VERSION, "ModelApprovalStatus": status}

    execution = run(START, answer(MISSING, describeModelPackage=[found]), hold_note())

    assert (execution.error, execution.cause) == (
        "VersionNotApproved",
        f"version {VERSION}, which served last at endpoint headrace-dev-bigmart, is {status} since: approve it, or "
        "have another one served with headrace pipeline rollback or headrace pipeline approve",
    )
    assert "createEndpoint" not in execution.list_operations()


@pytest.mark.parametrize(("noted", "error"), [("0a1b-2 first/+_", ""), ("0a1b-2 zeroth", "ArchiveChanged"), ("", "")])
def test_starts_nothing_whose_archive_was_overwritten_meanwhile(noted: str, error: str) -> None:
    found = {
        "ModelPackageArn": VERSION,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://work/old.tar.gz"}]},
        "CustomerMetadataProperties": {"headrace:archive": noted} if noted else {},
    }

    execution = run(START, answer(MISSING, MISSING, STANDING, describeModelPackage=[found]), hold_note())

    assert execution.error == error
    assert ("createEndpoint" in execution.list_operations()) == (not error)


SERVES_ANOTHER = {
    "ModelPackageArn": f"{VERSION}7",
    "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://work/another.tar.gz"}]},
    "CustomerMetadataProperties": {"headrace:archive": "0a1b-2 zeroth"},
}


def test_takes_the_archive_of_what_serves_for_no_other_versions() -> None:
    found = {**SERVES_ANOTHER, "ModelPackageArn": VERSION, "ModelPackageStatus": "Completed", "CreationTime": LONG_AGO}
    found |= {"ModelApprovalStatus": "Approved"}
    found["InferenceSpecification"] = {"Containers": [{"ModelDataUrl": "s3://work/old.tar.gz"}]}
    answers = answer(STANDING, describeModel=[{"PrimaryContainer": {"ModelPackageName": f"{VERSION}7"}}])

    given = run({"ModelPackageArn": VERSION}, {**answers, "describeModelPackage": [found, SERVES_ANOTHER, found]})
    trained = run({}, {**answers, "describeModelPackage": [SERVES_ANOTHER, *ANSWERS["describeModelPackage"]]})

    assert (given.error, "s3://work/old.tar.gz" in given.cause) == ("ArchiveChanged", True)
    assert trained.error != "ArchiveChanged"


# What somebody may have had the endpoint serve, or noted that it has.
FOREIGN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/headrace-dev-images/1"


@pytest.mark.parametrize("package", [FOREIGN, "without-group"])
def test_neither_stops_nor_starts_what_is_made_of_a_version_of_others(package: str) -> None:
    stopped = run(STOP, answer(STANDING, describeModel=[{"PrimaryContainer": {"ModelPackageName": package}}]))
    note = json.dumps({**NOTED, "ModelPackageArn": package, "Since": LONG_AGO})
    started = run(START, answer(MISSING), TurnsHeld({NOTE: note}))

    cause = (
        f"what endpoint headrace-dev-bigmart serves, or served last, is made of {package}, which is no version in the "
        "model package group headrace-dev-bigmart, so nothing says whether it was approved: have another one served "
        "with headrace pipeline rollback or headrace pipeline approve"
    )
    assert [(each.error, each.cause) for each in (stopped, started)] == [("VersionOfOthers", cause)] * 2
    assert not {"deleteEndpoint", "createEndpoint"} & {*stopped.list_operations(), *started.list_operations()}


GONE = TaskError("SageMaker.SageMakerException", f"ModelPackage {VERSION} does not exist")
DELETED = TaskError("S3.S3Exception", "Forbidden (Service: S3, Status Code: 403)")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"describeModelPackage": [GONE]}, "VersionMissing"),
        ({"headObject": [DELETED]}, "ArchiveMissing"),
        ({"headObject": [{"ETag": "another"}], "describeModelPackage": [NOTES_ARCHIVE]}, "ArchiveChanged"),
        ({"describeModelPackage": [MADE, HAS_VARIABLES]}, "VersionChanged"),
    ],
)
def test_neither_stops_nor_starts_what_could_not_be_started_again(answers: dict[str, list[Any]], error: str) -> None:
    stopped = run(STOP, answer(STANDING, MISSING, **answers))
    started = run(START, answer(MISSING, MISSING, STANDING, **answers), hold_note())

    assert (stopped.error, started.error) == (error, error)
    assert not {"deleteEndpoint", "createEndpoint"} & {*stopped.list_operations(), *started.list_operations()}


def test_stops_an_endpoint_that_serves_no_version() -> None:
    model = {"PrimaryContainer": {"Image": "another"}}

    assert run(STOP, answer(STANDING, MISSING, describeModel=[model])).output["Outcome"] == "STOPPED"


@pytest.mark.parametrize(("error", "outcome"), [("0.75", "SERVING"), ("0.25", "REFUSED")])
def test_compares_with_what_served_before_the_endpoint_was_stopped(error: str, outcome: str) -> None:
    """The training job reports 0.5."""
    rule = {"metric": "validation:rmse", "direction": "at_most", "threshold": "serving"}
    settings = {**SWITCHES["hours"], "bigmart.gate.rules": [rule]}
    definition = fill_tokens(read_definition(template_with("BigMart", "dev", settings).to_json()))
    serving = {"ModelPackageArn": VERSION, "CustomerMetadataProperties": {"metric:validation:rmse": error}}

    execution = execute(
        definition,
        {},
        answer(MISSING, MISSING, SERVING, describeModelPackage=[serving, *ANSWERS["describeModelPackage"]]),
        turns=hold_note(),
    )

    assert execution.status == "SUCCEEDED", execution
    assert execution.output["Outcome"] == outcome


def test_compares_with_nothing_at_an_endpoint_that_the_settings_do_not_stop() -> None:
    operations = run({"EndpointName": "shop"}, answer(MISSING, MISSING, SERVING), hold_note()).list_operations()

    assert operations.index("describeModelPackage") > operations.index("createTrainingJob")


@pytest.mark.parametrize("package", [VERSION, ""])
def test_starts_the_same_configuration_when_it_is_redriven(package: str) -> None:
    gone_wrong = {"EndpointStatus": "Failed", "EndpointConfigName": "run-0", "FailureReason": "no capacity"}
    turns = TurnsHeld({NOTE: json.dumps({**NOTED, "ModelPackageArn": package, "Since": LONG_AGO})})

    execution = run(START, answer(MISSING, MISSING, gone_wrong, MISSING, MISSING, STANDING), turns, redrives=1)

    asked = [arguments for operation, arguments in execution.requests if operation == "createEndpoint"]
    assert execution.status == "SUCCEEDED", execution.cause
    assert [each["EndpointConfigName"] for each in asked] == ["run-0", "run-0"]
    assert not {"createModel", "createEndpointConfig"} & {*execution.list_operations()}


def test_does_not_start_a_version_that_was_rejected_before_it_is_redriven() -> None:
    gone_wrong = {"EndpointStatus": "Failed", "EndpointConfigName": "run-0", "FailureReason": "no capacity"}
    approved, rejected = ({**MADE, "ModelApprovalStatus": status} for status in ("Approved", "Rejected"))
    versions = [approved, approved, rejected]

    execution = run(
        START,
        answer(MISSING, MISSING, gone_wrong, MISSING, describeModelPackage=versions),
        hold_note(),
        redrives=1,
    )

    assert execution.error == "VersionNotApproved"


def test_has_stopped_the_endpoint_where_it_is_gone_when_stopping_it_is_redriven() -> None:
    refused = TaskError("SageMaker.SageMakerException", "no")

    execution = run(STOP, answer(STANDING, STANDING, MISSING, deleteEndpoint=[refused]), hold_note(), redrives=1)

    assert execution.output["Outcome"] == "STOPPED"


def test_looks_at_the_endpoint_anew_when_stopping_it_is_redriven() -> None:
    newer = {**STANDING, "EndpointConfigName": "run-9"}
    refused = TaskError("SageMaker.ResourceNotFoundException", "busy")
    turns = TurnsHeld()

    execution = run(STOP, answer(STANDING, STANDING, newer, MISSING, deleteEndpoint=[refused, {}]), turns, redrives=1)

    assert execution.output["EndpointConfigName"] == "run-9", execution.cause
    assert read_note(turns)["EndpointConfigName"] == "run-9"


def test_notes_what_every_execution_serves_at_the_usual_endpoint() -> None:
    usual, other = TurnsHeld(), TurnsHeld()

    run({}, answer(MISSING, MISSING, SERVING), usual)
    run({"EndpointName": "shop"}, answer(MISSING, MISSING, SERVING), other)

    assert read_note(usual) == {"EndpointConfigName": "run-1", "ModelName": "run-1", "ModelPackageArn": VERSION}
    assert other.held == {}


def test_tidies_up_at_the_usual_endpoint_alone_as_nothing_uses_what_is_stopped() -> None:
    usual, other = (run(given, answer(MISSING, MISSING, SERVING)) for given in ({}, {"EndpointName": "shop"}))

    assert "invoke" in usual.list_operations()
    assert "invoke" not in other.list_operations()
    assert other.output["Tidied"] == {}


def test_serves_whatever_becomes_of_the_note() -> None:
    class Refusing(TurnsHeld):
        def run(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
            if arguments.get("Key") == NOTE:
                raise StateFailedError("S3.S3Exception", "Access Denied")
            return super().run(operation, arguments)

    assert run({}, answer(MISSING, MISSING, SERVING), Refusing()).output["Outcome"] == "SERVING"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"EndpointAction": "RESTART"}, "EndpointAction: found RESTART; allowed: START or STOP"),
        ({"EndpointAction": 7}, "EndpointAction: found 7"),
        ({**STOP, "EndpointName": "shop"}, "EndpointName: an execution with EndpointAction is about the endpoint of"),
        ({**START, "JobName": "a", "ModelName": "b"}, "JobName, ModelName: an execution with EndpointAction"),
        ({"WithinSeconds": 60}, "WithinSeconds: found 60; allowed: a number above 0, with EndpointAction"),
        ({**STOP, "WithinSeconds": 0}, "WithinSeconds: found 0"),
        ({**STOP, "WithinSeconds": "1"}, "WithinSeconds: found 1"),
        ({**STOP, "UnchangedSeconds": 0}, "UnchangedSeconds: found 0; allowed: a number above 0, with EndpointAction"),
    ],
)
def test_refuses_actions_that_there_are_not(given: dict[str, Any], found: str) -> None:
    execution = run(given, answer(STANDING))

    assert (execution.error, execution.requests) == ("InvalidInput", [])
    assert execution.cause.startswith(found)


def test_knows_no_actions_unless_the_settings_have_hours() -> None:
    execution = run(STOP, answer(STANDING), variant="dev")

    assert (execution.error, execution.requests) == ("InvalidInput", [])


def test_may_delete_the_endpoint_of_the_settings_and_write_its_note_alone() -> None:
    statements = [
        statement
        for policy in template_of("BigMart", "hours").find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]

    def find(action: str) -> list[str]:
        return [json.dumps(each["Resource"]) for each in statements if action in each["Action"]]

    (deleted,) = (each for each in find("sagemaker:DeleteEndpoint") if "endpoint/headrace" in each)
    assert "endpoint/headrace-dev-bigmart" in deleted
    assert "*" not in deleted
    assert any(f"/{contract.SERVED_PREFIX}headrace-dev-bigmart" in each for each in find("s3:PutObject"))


@pytest.mark.parametrize("stack", ["BigMart", "Images"])
def test_may_delete_an_endpoint_that_people_have_scaled(stack: str) -> None:
    policies = template_of(stack, "hours").find_resources("AWS::IAM::Policy")

    assert "application-autoscaling:DeregisterScalableTarget" in json.dumps(policies)
