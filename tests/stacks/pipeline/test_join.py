"""Steps that could not run one after the other are refused before they are deployed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import aws_iam as iam

from stacks.pipeline import join as joining
from stacks.pipeline.asl import ALWAYS, Catch, Choice, DefinitionError, Finish, Pass, Retry, Rule, State, Task, jsonata
from stacks.pipeline.failure import FAILED, REDRIVEN, assign_failure
from stacks.pipeline.join import Pipeline, together
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step

RETRY = Retry(errors=("Busy",), interval_seconds=1, max_attempts=1)
FAILURE = Task(
    resource="arn", arguments={"Failure": jsonata("$failure")}, timeout_seconds=1, retry=(RETRY,), next=REDRIVEN
)
PERMISSION = Permission(statement=iam.PolicyStatement(), findings={"finding": "reason"})


def join(first: Step, *steps: Step | None, **more: Any) -> Pipeline:
    return joining.join(first, *steps, failed=FAILURE, **more)


def write(name: str, **variables: object) -> Step:
    """A step of one state that assigns these variables."""
    return lambda after: {name: Pass(assign=variables, next=after)}


def call(name: str, **assign: str) -> Step:
    """A step of one task that fails like any other."""
    failed = Catch(errors=("States.ALL",), next=FAILED, assign=assign_failure("E", "'c'"))
    return lambda after: {
        name: Task(
            resource="arn",
            arguments={},
            timeout_seconds=1,
            assign=assign,
            retry=(RETRY,),
            catch=(failed,),
            permissions=(PERMISSION,),
            next=after,
        )
    }


def end(expression: str = "1") -> Step:
    """The last step, which reports this."""

    def states(_after: str) -> Mapping[str, State]:
        return {"End": Finish(output={"told": jsonata(expression)})}

    return states


def test_leads_from_each_step_to_the_first_state_of_the_next_that_is_there() -> None:
    states = join(write("First"), None, call("Second"), end()).render(comment="c", timeout_seconds=60)["States"]

    assert list(states) == ["First", "Second", "End", FAILED, REDRIVEN]
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
            "Look": Task(
                resource="arn",
                arguments={},
                timeout_seconds=1,
                assign={"found": 1},
                retry=(RETRY,),
                catch=(missing,),
                next=after,
            ),
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


def list_ways_back(pipeline: Pipeline) -> list[tuple[str, str, object]]:
    choice = pipeline.render(comment="c", timeout_seconds=60)["States"][REDRIVEN]
    return [(rule["Condition"], rule["Next"], rule.get("Assign")) for rule in choice["Choices"]]


def test_goes_on_after_a_redrive_at_the_start_of_the_step_that_failed() -> None:
    two = together(call("Third", model="x"), call("Fourth"))

    assert list_ways_back(join(write("First"), call("Second"), two, end("$model"))) == [
        ("{% $failure.State in ['Second'] %}", "Second", None),
        ("{% $failure.State in ['Third', 'Fourth'] %}", "Third", None),
    ]


def test_passes_the_step_that_holds_again_after_a_redrive() -> None:
    pipeline = join(write("First", resume="x"), call("Second"), call("Third"), end(), hold=call("Hold"))
    states = pipeline.render(comment="c", timeout_seconds=60)["States"]

    assert list_ways_back(pipeline)[:2] == [
        ("{% $failure.State in ['First'] %}", "First", None),
        ("{% $failure.State in ['Second'] %}", "Hold", {"resume": "Second"}),
    ]
    assert (states["First"]["Next"], states["Hold"]["Next"], states[REDRIVEN]["Default"]) == ("Hold", "Resume", "Hold")
    assert states["Resume"]["Default"] == "Second"
    assert [rule["Next"] for rule in states["Resume"]["Choices"]] == ["Third", "End"]


def test_goes_on_at_one_state_after_every_redrive_where_that_is_asked_for() -> None:
    first = write("First", resume="x", asked="x")
    pipeline = join(
        first, call("Second"), call("Third"), end(), hold=call("Hold"), anew={"$asked": "Third"}, counted={"polls": 0}
    )

    ways = list_ways_back(pipeline)

    assert [condition for condition, _, _ in ways][:3] == [
        "{% $failure.State in ['First'] %}",
        "{% $asked %}",
        "{% $failure.State in ['Second'] %}",
    ]
    assert ways[1][1:] == ("Hold", {"polls": 0, "resume": "Third"})


def test_counts_what_was_written_before_a_failure() -> None:
    join(call("First", x="1"), call("Second", y="1"), write("Third", z=jsonata("$x & $y")), end("$z"))


@pytest.mark.parametrize(
    ("without", "message"),
    [({"retry": ()}, "has no retrier"), ({"catch": ()}, r"has no catcher for States\.ALL")],
)
def test_refuses_a_task_that_gives_up_at_once_or_is_not_cleaned_up_after(without: dict[str, Any], message: str) -> None:
    def bare(after: str) -> Mapping[str, State]:
        task = call("Second")(after)["Second"]
        assert isinstance(task, Task)
        return {"Second": replace(task, **without)}

    with pytest.raises(DefinitionError, match=f"^task 'Second' {message}$"):
        join(call("First"), bare, end())
