"""What an execution makes is named within SageMaker's rules."""

import hashlib
import re
from typing import Any

import jsonata
import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from stacks.pipeline.names import given_or_derived, is_invalid, name_from_execution

NAME = get_session().get_service_model("sagemaker").shape_for("TrainingJobName").metadata

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html, `name`
execution_names = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters='<>{}[]?*"#%\\^|~`$&,;:/'),
    min_size=1,
    max_size=80,
)


def evaluate(
    expression: str, *, execution: str = "run", given_input: dict[str, Any] | None = None, **variables: Any
) -> Any:
    parsed = jsonata.Jsonata.jsonata(expression)
    parsed.register_lambda(
        "hash", lambda text, algorithm: hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest()
    )
    states = {"context": {"Execution": {"Name": execution}}, "input": given_input or {}}
    return parsed.evaluate(None, {"states": states, **variables})


def is_allowed(name: str) -> bool:
    return len(name) <= NAME["max"] and re.fullmatch(NAME["pattern"], name) is not None


@given(execution_names)
def test_derives_a_name_that_sagemaker_allows_from_any_execution(execution: str) -> None:
    assert is_allowed(evaluate(name_from_execution(), execution=execution))


@given(st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", fullmatch=True))
def test_keeps_an_execution_name_that_is_allowed_already(execution: str) -> None:
    assert evaluate(name_from_execution(), execution=execution) == execution


@pytest.mark.parametrize(("one", "other"), [("a_b", "a.b"), ("x" * 79 + "1", "x" * 79 + "2"), ("é", "è")])
def test_never_gives_two_executions_one_name(one: str, other: str) -> None:
    assert evaluate(name_from_execution(), execution=one) != evaluate(name_from_execution(), execution=other)


def test_prefers_the_name_that_the_input_gives() -> None:
    expression = given_or_derived("JobName")

    assert evaluate(expression, given_input={"JobName": "mine"}) == "mine"
    assert evaluate(expression, execution="run-1", given_input={"ModelName": "mine"}) == "run-1"


@given(st.text(st.sampled_from("aZ9-_. "), max_size=70))
def test_refuses_exactly_the_names_that_sagemaker_refuses(name: str) -> None:
    assert evaluate(is_invalid("$name"), name=name) is not is_allowed(name)


@pytest.mark.parametrize("name", [5, True, ["a"], {"a": 1}])
def test_refuses_what_is_not_text(name: object) -> None:
    assert evaluate(is_invalid("$name"), name=name) is True
