"""Take the endpoint's turn before anything is paid for: of executions that name one endpoint, one works at a time.

The turn is the owner's until it lets go, or until it no longer runs: then the next one takes it over.
"""

from collections.abc import Mapping
from typing import Final

from stacks.pipeline.asl import Choice, Rule, State, Wait, jsonata
from stacks.pipeline.failure import FAILED, assign_failure
from stacks.pipeline.growing import wait_longer
from stacks.pipeline.join import resume_at
from stacks.pipeline.step import Step
from stacks.pipeline.turns import EXECUTION, IS_LOST, Turns
from stacks.settings.jobs import WhenBusy

_LONGEST_POLL_SECONDS: Final = 900
_MOST_POLLS: Final = 400
_MOST_FAILURES: Final = 8

_TAKE: Final = "Take Turn"
_SEE: Final = "See Whose Turn"
_NOT_SEEN: Final = "Turn Not Seen"
_PAUSE: Final = "Pause Before Turn"
_WHOSE: Final = "Whose Turn"
_FIND: Final = "Find Owner"
_RUNS: Final = "Owner Runs"
_WAIT: Final = "Wait For Turn"
_TAKE_OVER: Final = "Take Turn Over"

# The state machine in the ARN of an execution.
_MACHINE: Final = "$split({}, ':')[6]"
_RUNNING: Final = "['RUNNING', 'PENDING_REDRIVE']"
_SAY_OWNER: Final = (
    "'endpoint ' & $endpoint_name & ' is in the hands of ' & $owner.Execution & ' since ' & $owner.Since"
)


def hold(turns: Turns) -> Step:
    """Take the turn at the endpoint `$endpoint_name`; `$turn` is then what it must still be to be given back."""

    def states(after: str) -> Mapping[str, State]:
        return {
            _TAKE: turns.write({"IfNoneMatch": "*"}, next_state=after, otherwise=_SEE),
            _SEE: turns.read(next_state=_WHOSE, otherwise=_NOT_SEEN),
            _NOT_SEEN: Choice(rules=(_try(_PAUSE), _give_up()), default=FAILED),
            # Executions that failed to take it at the same moment do not try again at the same moment.
            _PAUSE: Wait(seconds=jsonata("$ceil($random() * 5)"), next=_TAKE),
            _WHOSE: _choose_by_owner(),
            _FIND: turns.find_owner(_FIND, next_state=_RUNS, gone=_TAKE_OVER),
            _RUNS: _choose_by_status(turns.when_busy),
            **({_WAIT: _wait()} if turns.when_busy == "wait" else {}),
            _TAKE_OVER: turns.write({"IfMatch": jsonata("$turn")}, next_state=after, otherwise=_SEE),
        }

    return states


def take_turn_again(entry: str) -> Rule:
    """Take the turn again, if the execution was redriven since it took it, and go on at the first state of a step.

    One that was stopped or took too long has given its turn back, and a redrive goes on at the state that it had come
    to. After a failure, `join` has it taken again already.
    """
    return Rule(condition=IS_LOST, next=_TAKE, assign=resume_at(entry), is_return=True)


def _choose_by_owner() -> Choice:
    """Its own turn, too, is taken over: after a redrive somebody may be about to do so, and one of the two fails."""
    mine = f"$owner.Execution = {EXECUTION}"
    other = f"$not({_MACHINE.format('$owner.Execution')} = {_MACHINE.format(EXECUTION)})"
    foreign = Rule(
        condition=other,
        next=FAILED,
        assign=assign_failure(
            "EndpointBusy",
            f"{_SAY_OWNER} & ', an execution of another state machine. Give another EndpointName, or delete the object "
            "' & $owner.Place & ' if that execution has ended'",
        ),
    )
    return Choice(rules=(_try(_TAKE_OVER, f"{mine} and "), _give_up(mine), foreign), default=_FIND)


def _choose_by_status(when_busy: WhenBusy) -> Choice:
    runs = f"$owner_status in {_RUNNING}"
    wait = Rule(
        condition=f"{runs} and $turn_polls < {_MOST_POLLS}",
        next=_WAIT,
        assign={"turn_polls": jsonata("$turn_polls + 1"), "turn_failures": 0},
    )
    advice = (
        "wait for its end, or set pipeline.when_busy to wait"
        if when_busy == "refuse"
        else "it has waited for long enough; start it again after that one"
    )
    busy = Rule(condition=runs, next=FAILED, assign=assign_failure("EndpointBusy", f"{_SAY_OWNER} & '; {advice}'"))
    rules = (busy,) if when_busy == "refuse" else (wait, busy)
    return Choice(rules=(*rules, _try(_TAKE_OVER), _give_up()), default=FAILED)


def _try(state: str, condition: str = "") -> Rule:
    return Rule(condition=f"{condition}$turn_failures < {_MOST_FAILURES}", next=state)


def _give_up(condition: str = "true") -> Rule:
    cause = f"'{_TAKE}: ' & $turn_errors.Write & '; {_SEE}: ' & $turn_errors.Read"
    return Rule(condition=condition, next=FAILED, assign=assign_failure("TakeTurnFailed", cause))


def _wait() -> Wait:
    return wait_longer("turn_polls", longest_seconds=_LONGEST_POLL_SECONDS, next_state=_SEE)
