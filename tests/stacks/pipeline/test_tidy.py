"""Executions delete what is beyond the last ones where the settings say so, and end well whatever comes of it."""

from typing import Any

from tests.stacks.conftest import find_resources, read_definition, template_of
from tests.stacks.executions import Execution, TaskError, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS

DELETED = {"EndpointConfigs": ["run-0"], "Models": ["run-0"], "ModelPackages": [], "Left": ""}


def run(*answers: Any, variant: str = "guard") -> Execution:
    definition = fill_tokens(read_definition(template_of("BigMart", variant).to_json()))
    return execute(definition, {}, {**ANSWERS, "invoke": list(answers)})


def test_tells_what_was_deleted() -> None:
    execution = run({"Payload": DELETED})

    assert (execution.status, execution.output["Tidied"]) == ("SUCCEEDED", DELETED)
    assert execution.list_operations()[-1] == "invoke"


def test_ends_well_when_the_function_fails() -> None:
    execution = run(TaskError("Lambda.Unknown", "out of memory"))

    assert (execution.status, execution.output["Outcome"]) == ("SUCCEEDED", "SERVING")
    assert execution.output["Tidied"] == {"Left": "out of memory"}


def test_deletes_nothing_unless_the_settings_say_how_many_stay() -> None:
    execution = run(variant="dev")

    assert execution.status == "SUCCEEDED"
    assert "Tidied" not in execution.output


def test_lets_the_function_delete_what_has_the_workloads_tags_and_the_versions_of_its_group() -> None:
    (policy,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for name, policy in find_resources("guard", "AWS::IAM::Policy").items()
        if "Tidying" in name
    )
    deleting = {
        action: statement
        for statement in policy
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.startswith("sagemaker:Delete")
    }

    ours = {"environment": "dev", "project": "headrace", "workload": "bigmart"}
    tagged = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in ours.items()}}
    assert deleting["sagemaker:DeleteModel"]["Condition"] == tagged
    assert deleting["sagemaker:DeleteEndpointConfig"]["Condition"] == tagged
    assert "model-package/headrace-dev-bigmart/*" in str(deleting["sagemaker:DeleteModelPackage"]["Resource"])
    assert sorted(deleting) == [
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DeleteModelPackage",
    ]
