"""A definition that could not run is refused before it is deployed."""

import pytest

from stacks.pipeline.asl import (
    ALWAYS,
    Catch,
    Choice,
    DefinitionError,
    Fail,
    Finish,
    Pass,
    Retry,
    Rule,
    State,
    Task,
    render_definition,
)


def render(states: dict[str, State], start_at: str = "First") -> dict[str, object]:
    return render_definition(states, start_at=start_at, comment="", timeout_seconds=60)


def test_refuses_a_transition_to_a_state_that_does_not_exist() -> None:
    with pytest.raises(DefinitionError, match=r"^no state is named 'Second'$"):
        render({"First": Pass(assign={}, next="Second")})


def test_refuses_a_default_that_does_not_exist_behind_a_rule_that_always_holds() -> None:
    choice = Choice(rules=(Rule(condition=ALWAYS, next="Done"),), default="Nowhere")

    with pytest.raises(DefinitionError, match=r"^no state is named 'Nowhere'$"):
        render({"First": choice, "Done": Finish(output={})})


def test_refuses_a_state_that_nothing_leads_to() -> None:
    with pytest.raises(DefinitionError, match=r"^nothing leads to Lonely$"):
        render({"First": Finish(output={}), "Lonely": Fail(error="E", cause="c")})


def test_follows_catchers_and_rules() -> None:
    task = Task(
        resource="arn:aws:states:::sagemaker:createModel",
        arguments={},
        timeout_seconds=60,
        next="Choose",
        catch=(Catch(errors=("States.ALL",), next="Caught"),),
    )
    choice = Choice(rules=(Rule(condition="$x = 1", next="Done"),), default="Caught")
    states: dict[str, State] = {
        "First": task,
        "Choose": choice,
        "Done": Finish(output={}),
        "Caught": Fail(error="E", cause="c"),
    }

    assert list(render(states)["States"]) == ["First", "Choose", "Done", "Caught"]  # type: ignore[call-overload]


def test_renders_a_task_as_step_functions_reads_it() -> None:
    task = Task(
        resource="arn:aws:states:::sagemaker:createModel",
        arguments={"ModelName": "{% $model_name %}"},
        timeout_seconds=60,
        assign={"arn": "{% $states.result.ModelArn %}"},
        retry=(Retry(errors=("SageMaker.AmazonSageMakerException",), interval_seconds=5, max_attempts=3),),
        catch=(Catch(errors=("States.ALL",), next="Failed", assign={"cause": "x"}),),
        next="Done",
    )

    assert task.render() == {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createModel",
        "Arguments": {"ModelName": "{% $model_name %}"},
        "TimeoutSeconds": 60,
        "Assign": {"arn": "{% $states.result.ModelArn %}"},
        "Retry": [
            {
                "ErrorEquals": ["SageMaker.AmazonSageMakerException"],
                "IntervalSeconds": 5,
                "MaxAttempts": 3,
                "BackoffRate": 2,
                "JitterStrategy": "FULL",
            }
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"cause": "x"}, "Next": "Failed"}],
        "Next": "Done",
    }
