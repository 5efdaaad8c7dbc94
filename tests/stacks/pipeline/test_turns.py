"""Executions that meet at an endpoint, executed by the engine's interpreter: whose turn it is, and for how long."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from headrace import contract
from headrace.local.engine.asl.failures import StateFailedError
from headrace.recipes import list_usual_recipes
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition, template_of
from tests.stacks.executions import EXECUTIONS, Execution, TaskError, execute, fill_tokens
from tests.stacks.jsonata_fields import choose, evaluate
from tests.stacks.pipeline.test_executions import ANSWERS, SERVING, USED_UP, describe_bad_job, describe_job
from tests.stacks.pipeline.test_executions import MISSING as MISSING_ENDPOINT
from tests.stacks.turns_held import MISSING, REFUSED, TurnsHeld

PIPELINES = [recipe.stack_id for recipe in list_usual_recipes()]
OTHER = f"{EXECUTIONS}:other"
FOREIGN = OTHER.replace("machine", "another-machine")
KEY = "turns/headrace-dev-images"
UNREACHED = TaskError("SageMaker.SdkClientException", "Unable to execute HTTP request")


def write(owner: str) -> str:
    return json.dumps({contract.TURN_EXECUTION: owner, contract.TURN_SINCE: "2026-01-01T00:00:00Z"})


def run(
    turns: TurnsHeld, given: Mapping[str, Any] | None = None, *, stack: str = "Images", **answers: list[Any]
) -> Execution:
    definition = fill_tokens(read_definition(template_of(stack).to_json()))
    return execute(definition, given or {}, ANSWERS | answers, turns=turns)


class Changing(TurnsHeld):
    """Turns that something happens to before the n-th request of an operation.

    Args:
        happens: What happens, by the operation and how often that was asked for before.
        others: As of `TurnsHeld`.
    """

    def __init__(self, happens: Mapping[tuple[str, int], Callable[["Changing"], object]], *others: Any) -> None:
        super().__init__(*others)
        self._happens = happens

    def run(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        asked = [name for name, _ in self.requests].count(operation)
        if happens := self._happens.get((operation, asked)):
            happens(self)
        return super().run(operation, arguments)


@pytest.mark.parametrize("stack", PIPELINES)
def test_takes_the_turn_before_anything_is_paid_for_and_gives_it_back(stack: str) -> None:
    turns = TurnsHeld()

    execution = run(turns, stack=stack)

    assert execution.status == "SUCCEEDED"
    assert [operation for operation, _ in turns.requests] == ["putObject", "deleteObject"]
    (_, taken), (_, given_back) = turns.requests
    assert taken["IfNoneMatch"] == "*"
    assert json.loads(taken["Body"])[contract.TURN_EXECUTION] == f"{EXECUTIONS}:run-1"
    assert taken["Key"] == given_back["Key"] == f"turns/headrace-dev-{stack.lower()}"
    assert turns.held == {}


def test_gives_the_turn_back_when_the_model_is_refused() -> None:
    turns = TurnsHeld()

    assert run(turns, createTrainingJob=[describe_bad_job]).output["Outcome"] == "REFUSED"
    assert turns.held == {}


def test_takes_the_same_turn_for_an_endpoint_in_other_case() -> None:
    turns = TurnsHeld()

    run(turns, {"EndpointName": "Shop"})

    assert {request["Key"] for _, request in turns.requests} == {"turns/shop"}


def test_waits_while_another_execution_has_the_turn() -> None:
    turns = Changing(
        {("describeExecution", 2): lambda turns: turns.statuses.update({OTHER: "FAILED"})},
        {KEY: write(OTHER)},
        {OTHER: "RUNNING"},
    )

    execution = run(turns)

    assert (execution.status, execution.waits[:2]) == ("SUCCEEDED", [30, 36])
    assert execution.list_operations().count("createTrainingJob") == 1
    assert turns.held == {}


def test_goes_on_when_the_turn_was_given_back_meanwhile() -> None:
    turns = Changing({("getObject", 1): lambda turns: turns.held.clear()}, {KEY: write(OTHER)}, {OTHER: "RUNNING"})

    assert run(turns).status == "SUCCEEDED"
    assert [operation for operation, _ in turns.requests][-2:] == ["putObject", "deleteObject"]


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", None])
def test_takes_over_from_an_execution_that_runs_no_more(status: str | None) -> None:
    turns = TurnsHeld({KEY: write(OTHER)}, {OTHER: status} if status else {})

    execution = run(turns)

    assert (execution.status, turns.held) == ("SUCCEEDED", {})
    assert [round(wait) for wait in execution.waits if wait > 5] == [30]


def test_lets_one_of_two_take_over() -> None:
    rival = f"{EXECUTIONS}:rival"
    turns = Changing(
        {
            ("putObject", 1): lambda turns: turns.held.update({KEY: write(rival)}),
            ("describeExecution", 2): lambda turns: turns.statuses.update({rival: "SUCCEEDED"}),
        },
        {KEY: write(OTHER)},
        {OTHER: "FAILED", rival: "RUNNING"},
    )

    execution = run(turns)

    assert execution.status == "SUCCEEDED"
    assert [request["ExecutionArn"] for name, request in turns.requests if name == "describeExecution"] == [
        OTHER,
        rival,
        rival,
    ]


def test_takes_its_own_turn_again_after_a_redrive_so_that_who_wants_to_take_over_fails() -> None:
    turns = TurnsHeld({KEY: write(f"{EXECUTIONS}:run-1")})

    assert run(turns).status == "SUCCEEDED"
    assert [operation for operation, _ in turns.requests] == ["putObject", "getObject", "putObject", "deleteObject"]


def run_out_of_time(turns: TurnsHeld, before_redrive: Callable[[], object]) -> Execution:
    """An execution that waits for an instance until it has taken too long, and is redriven."""
    definition = fill_tokens(read_definition(template_of("Images").to_json()))
    definition["States"]["Wait For Train Quota"]["Seconds"] = 200
    return execute(
        # Less than the two waits, and more than the second one with what comes after it.
        definition | {"TimeoutSeconds": 350},
        {},
        ANSWERS | {"createTrainingJob": [USED_UP, USED_UP, describe_job]},
        turns=turns,
        redrives=1,
        before_redrive=before_redrive,
    )


def test_takes_its_turn_again_before_it_serves_when_it_was_redriven_after_it_took_too_long() -> None:
    turns = TurnsHeld()

    execution = run_out_of_time(turns, turns.held.clear)

    assert (execution.status, turns.held) == ("SUCCEEDED", {})
    assert [operation for operation, _ in turns.requests] == ["putObject", "putObject", "deleteObject"]
    assert execution.list_operations().count("createTrainingJob") == 3
    assert execution.list_operations().count("createModel") == 1


@pytest.mark.parametrize(
    ("change", "standing"),
    [("create", MISSING_ENDPOINT), ("update", {"EndpointStatus": "InService", "EndpointConfigName": "run-0"})],
)
def test_changes_no_endpoint_without_its_turn(change: str, standing: Any) -> None:
    """Its model is made already, so that it cannot go on with it: the redrive after that one makes another."""
    definition = fill_tokens(read_definition(template_of("Images").to_json()))
    definition["States"][f"Wait For {change.title()} Endpoint Quota"]["Seconds"] = 200
    answers = {
        f"{change}Endpoint": [USED_UP, USED_UP, {}],
        "describeEndpoint": [*[standing] * 5, SERVING],
        "describeEndpointConfig": [MISSING_ENDPOINT],
    }
    turns = TurnsHeld()

    def redrive(times: int) -> Execution:
        return execute(
            definition | {"TimeoutSeconds": 350},
            {},
            ANSWERS | answers,
            turns=turns,
            redrives=times,
            before_redrive=turns.held.clear,
        )

    once, twice = redrive(1), redrive(2)

    assert (once.error, once.list_operations().count(f"{change}Endpoint")) == ("TurnLost", 2)
    assert "redrive it once more" in once.cause
    assert (twice.status, twice.list_operations().count("createModel"), turns.held) == ("SUCCEEDED", 2, {})


@pytest.mark.parametrize(
    ("change", "standing"),
    [("create", MISSING_ENDPOINT), ("update", {"EndpointStatus": "InService", "EndpointConfigName": "run-0"})],
)
def test_does_not_go_on_without_its_turn_in_the_very_change_that_it_was_stopped_in(change: str, standing: Any) -> None:
    """A redrive goes on at that task, past the choices before it."""
    definition = fill_tokens(read_definition(template_of("Images").to_json()))
    retry_slowly(definition["States"][f"{change.title()} Endpoint"])
    answers = {
        f"{change}Endpoint": [UNREACHED, UNREACHED, {}],
        "describeEndpoint": [*[standing] * 3, SERVING],
        "describeEndpointConfig": [MISSING_ENDPOINT],
    }
    turns = TurnsHeld()

    def redrive(times: int) -> Execution:
        return execute(
            definition | {"TimeoutSeconds": 350},
            {},
            ANSWERS | answers,
            turns=turns,
            redrives=times,
            before_redrive=turns.held.clear,
        )

    stopped, once, twice = redrive(0), redrive(1), redrive(2)

    assert (stopped.status, stopped.list_operations()[-1]) == ("TIMED_OUT", f"{change}Endpoint")
    assert (once.error, once.list_operations().count(f"{change}Endpoint")) == ("TurnLost", 2)
    assert "redrive it once more" in once.cause
    assert (twice.status, twice.list_operations().count("createModel"), turns.held) == ("SUCCEEDED", 2, {})


def retry_slowly(state: dict[str, Any]) -> None:
    """Such that an execution runs out of time between the second try and the third."""
    (retrier,) = state["Retry"]
    state["Retry"] = [{"ErrorEquals": retrier["ErrorEquals"], "IntervalSeconds": 200, "BackoffRate": 1}]


def test_waits_when_another_has_the_turn_that_it_lost_by_being_stopped() -> None:
    turns = Changing(
        {("describeExecution", 1): lambda turns: turns.statuses.update({OTHER: "SUCCEEDED"})}, {}, {OTHER: "RUNNING"}
    )

    execution = run_out_of_time(turns, lambda: turns.held.update({KEY: write(OTHER)}))

    operations = [operation for operation, _ in turns.requests]
    assert (execution.status, turns.held) == ("SUCCEEDED", {})
    assert operations[1:4] == ["putObject", "getObject", "describeExecution"]
    assert operations[-2:] == ["putObject", "deleteObject"]


def test_leaves_the_endpoint_of_another_state_machine_alone() -> None:
    turns = TurnsHeld({KEY: write(FOREIGN)})

    execution = run(turns)

    assert (execution.error, execution.requests) == ("EndpointBusy", [])
    assert f"headrace-dev-images is in the hands of {FOREIGN} since 2026-01-01T00:00:00Z" in execution.cause
    assert "/turns/headrace-dev-images if that execution has ended" in execution.cause
    assert turns.held == {KEY: write(FOREIGN)}


def test_is_refused_when_busy_by_setting() -> None:
    template = template_with("Images", "dev", {"pipeline.when_busy": "refuse"})
    definition = fill_tokens(read_definition(template.to_json()))
    turns = TurnsHeld({KEY: write(OTHER)}, {OTHER: "RUNNING"})

    execution = execute(definition, {}, ANSWERS, turns=turns)

    assert (execution.error, execution.requests, execution.waits) == ("EndpointBusy", [], [])
    assert OTHER in execution.cause
    assert "set pipeline.when_busy to wait" in execution.cause
    assert "Wait For Turn" not in definition["States"]


def test_ends_an_endless_wait_far_below_the_longest_history() -> None:
    states = read_definition(template_of("Images").to_json())["States"]

    waits = [evaluate(states["Wait For Turn"]["Seconds"], turn_polls=polls) for polls in range(1, 401)]
    chosen = [
        choose(states["Owner Runs"], owner_status="RUNNING", turn_polls=polls, turn_failures=0) for polls in (399, 400)
    ]

    assert (waits[0], max(waits)) == (30, 900)
    assert sum(waits) > 3 * 24 * 3600
    assert chosen == ["Wait For Turn", "Failed"]
    # Two tasks of five events each, two choices and a wait of two each.
    assert len(waits) * (2 * 5 + 3 * 2) < 10_000


@pytest.mark.parametrize("body", ["", "not JSON", "[]", "{}", "null", '{"Execution": 7, "Since": null}', '"text"'])
def test_never_takes_a_turn_that_it_does_not_understand(body: str) -> None:
    turns = TurnsHeld({KEY: body})

    execution = run(turns)

    assert (execution.status, execution.requests) == ("FAILED", [])
    assert execution.error in ("TakeTurnFailed", "EndpointBusy")
    assert turns.held == {KEY: body}


def test_says_why_no_turn_can_be_taken() -> None:
    denied = TaskError("S3.S3Exception", "Access Denied (Service: S3, Status Code: 403)")

    execution = run(TurnsHeld(), putObject=[denied], getObject=[denied])

    assert execution.error == "TakeTurnFailed"
    assert execution.cause == f"Take Turn: {denied.cause}; See Whose Turn: {denied.cause}"


def test_says_why_the_owner_cannot_be_looked_for() -> None:
    turns = TurnsHeld({KEY: write(OTHER)})

    execution = run(turns, describeExecution=[TaskError("Sfn.AccessDeniedException", "not authorized")])

    assert (execution.error, execution.cause) == ("FindOwnerFailed", "Find Owner: not authorized")


@pytest.mark.parametrize("error", [MISSING, REFUSED])
def test_ends_well_even_if_the_turn_cannot_be_given_back(error: tuple[str, str]) -> None:
    assert run(TurnsHeld(), deleteObject=[TaskError(*error)]).status == "SUCCEEDED"


def test_may_look_at_its_own_executions_only() -> None:
    policies = template_of("Images").find_resources("AWS::IAM::Policy")
    statements = [
        statement
        for policy in policies.values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "states:DescribeExecution"
    ]

    (statement,) = statements
    assert json.dumps(statement["Resource"]).count('"TrainingStateMachine') == 1
    assert statement["Resource"]["Fn::Join"][1][-1] == ":*"


def test_the_fake_refuses_as_s3_does() -> None:
    turns = TurnsHeld({"k": "v"})

    with pytest.raises(StateFailedError):
        turns.run("putObject", {"Key": "k", "Body": "w", "IfNoneMatch": "*"})
    with pytest.raises(StateFailedError):
        turns.run("deleteObject", {"Key": "k", "IfMatch": "other"})


@pytest.mark.parametrize("stack", PIPELINES)
def test_tries_as_often_again_after_a_redrive(stack: str) -> None:
    definition = fill_tokens(read_definition(template_of(stack).to_json()))
    answers: dict[str, list[Any]] = {
        "getObject": [{"Body": write(OTHER), "ETag": '"1"'}],
        "describeExecution": [{"Status": "SUCCEEDED"}],
        # The turn of an execution that has ended cannot be taken over eight times, nor taken after that.
        "putObject": [TaskError("S3.S3Exception", "busy")] * 9 + [{"ETag": '"2"'}],
        "deleteObject": [{}],
    }

    failed = execute(definition, {}, ANSWERS | answers)
    redriven = execute(definition, {}, ANSWERS | answers, redrives=1)

    assert (failed.status, failed.error) == ("FAILED", "TakeTurnFailed")
    assert redriven.status == "SUCCEEDED", redriven.cause
