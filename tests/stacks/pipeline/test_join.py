"""Steps that could not run one after the other are refused before they are deployed."""

from collections.abc import Mapping

import pytest
from aws_cdk import aws_iam as iam

from stacks.pipeline.asl import ALWAYS, Catch, Choice, DefinitionError, Finish, Pass, Rule, State, Task, jsonata
from stacks.pipeline.failure import FAILED, assign_failure
from stacks.pipeline.join import join
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step

PERMISSION = Permission(statement=iam.PolicyStatement(), findings={"finding": "reason"})


def write(name: str, **variables: object) -> Step:
    """A step of one state that assigns these variables."""
    return lambda after: {name: Pass(assign=variables, next=after)}


def call(name: str, **assign: str) -> Step:
    """A step of one task that fails like any other."""
    failed = Catch(errors=("States.ALL",), next=FAILED, assign=assign_failure("E", "'c'"))
    return lambda after: {
        name: Task(resource="arn", arguments={}, assign=assign, catch=(failed,), permissions=(PERMISSION,), next=after)
    }


def end(expression: str = "1") -> Step:
    """The last step, which reports this."""

    def states(_after: str) -> Mapping[str, State]:
        return {"End": Finish(output={"told": jsonata(expression)})}

    return states


def test_leads_from_each_step_to_the_first_state_of_the_next_that_is_there() -> None:
    states = join(write("First"), None, call("Second"), end()).render(comment="c", timeout_seconds=60)["States"]

    assert list(states) == ["First", "Second", "End", FAILED]
    assert (states["First"]["Next"], states["Second"]["Next"]) == ("Second", "End")


def test_collects_what_the_tasks_must_be_allowed_with_the_reasons() -> None:
    assert join(call("First"), call("Second"), end()).permissions == [PERMISSION, PERMISSION]


def test_refuses_the_name_of_a_state_twice() -> None:
    with pytest.raises(DefinitionError, match=r"^two states are named 'First'$"):
        join(call("First"), call("First"), end())


def test_refuses_a_variable_that_nobody_writes() -> None:
    with pytest.raises(DefinitionError, match=r"^state 'End' reads \$x, which not every way to it has written$"):
        join(call("First"), end("$x"))


def test_refuses_a_variable_that_only_a_later_step_writes() -> None:
    with pytest.raises(DefinitionError, match=r"state 'Early' reads \$x"):
        join(write("Early", y=jsonata("$x")), call("Late", x="1"), end("$x & $y"))


def test_refuses_a_variable_that_its_own_state_writes() -> None:
    with pytest.raises(DefinitionError, match=r"state 'Count' reads \$n"):
        join(write("Count", n=jsonata("$n + 1")), call("First"), end())


def test_refuses_a_variable_that_only_one_of_two_ways_writes() -> None:
    def choose(after: str) -> Mapping[str, State]:
        return {"Choose": Choice(rules=(Rule(condition="1 = 1", next=after, assign={"x": 1}),), default=after)}

    with pytest.raises(DefinitionError, match=r"state 'End' reads \$x"):
        join(call("First"), choose, end("$x"))


def test_counts_what_a_catcher_assigns_on_its_own_way_only() -> None:
    def look(after: str) -> Mapping[str, State]:
        missing = Catch(errors=("States.ALL",), next="Missing", assign={"cause": "x"})
        return {
            "Look": Task(resource="arn", arguments={}, assign={"found": 1}, catch=(missing,), next=after),
            "Missing": Pass(assign={"found": jsonata("$cause")}, next=after),
        }

    join(call("First"), look, end("$found"))

    with pytest.raises(DefinitionError, match=r"state 'End' reads \$cause"):
        join(call("First"), look, end("$cause"))


def test_does_not_follow_the_default_after_a_rule_that_always_holds() -> None:
    def decide(after: str) -> Mapping[str, State]:
        return {"Decide": Choice(rules=(Rule(condition=ALWAYS, next=after, assign={"x": 1}),), default=FAILED)}

    join(call("First"), decide, end("$x"))


def test_refuses_steps_without_an_end() -> None:
    with pytest.raises(DefinitionError, match="nothing comes after the last step"):
        join(call("First")).render(comment="c", timeout_seconds=60)
