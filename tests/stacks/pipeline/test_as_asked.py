"""A version that serves already: left alone while the endpoint is as its settings ask, and served again otherwise."""

from typing import Any

import pytest

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition
from tests.stacks.executions import Execution, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS
from tests.stacks.pipeline.test_scale import SCALING as SCALING_OPERATIONS
from tests.stacks.pipeline.test_versions import ARNS, describe_version

ENDPOINT = "bigmart.endpoint"
SERVERLESS: dict[str, Any] = {
    f"{ENDPOINT}.serverless": {"memory_mb": 2048, "max_concurrency": 5, "provisioned_concurrency": 1}
}
CAPTURED: dict[str, Any] = {f"{ENDPOINT}.capture": {"percent": 10}}
SCALING = {"min_instances": 1, "max_instances": 4}
SCALED: dict[str, Any] = {f"{ENDPOINT}.scaling": SCALING}
UNSCALED: dict[str, Any] = {f"{ENDPOINT}.scaling": {**SCALING, "enabled": False}}


def read(settings: dict[str, Any]) -> dict[str, Any]:
    return fill_tokens(read_definition(template_with("BigMart", "dev", settings).to_json()))


def describe_made(definition: dict[str, Any]) -> dict[str, list[Any]]:
    """What SageMaker says of an endpoint that an execution of a definition has made."""
    config = definition["States"]["Create Endpoint Config"]["Arguments"]
    (variant,) = config["ProductionVariants"]
    model = definition["States"]["Save Model"]["Arguments"]
    # SageMaker says what it has taken by default, too.
    metrics = {"EnableEnhancedMetrics": False, "MetricPublishFrequencyInSeconds": 60}
    standing = {
        "EndpointStatus": "InService",
        "EndpointConfigName": "run-0",
        "ProductionVariants": [{"DesiredInstanceCount": variant.get("InitialInstanceCount", 0)}],
    }
    return {
        "describeEndpoint": [standing, standing, {**standing, "EndpointConfigName": "run-1"}],
        "describeEndpointConfig": [
            {"MetricsConfig": metrics, **config, "ProductionVariants": [{**variant, "ModelName": "run-0"}]}
        ],
        "describeModel": [{**model, "PrimaryContainer": {"ModelPackageName": f"{ARNS}3"}}],
        "describeModelPackage": [describe_version(3)],
    }


def run(definition: dict[str, Any], answers: dict[str, list[Any]]) -> Execution:
    execution = execute(
        definition,
        {"ModelPackageArn": f"{ARNS}3"},
        ANSWERS | {operation: [{}] for operation in SCALING_OPERATIONS} | answers,
    )
    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.output["Outcome"] == "SERVING"
    return execution


def updates(execution: Execution) -> bool:
    return "updateEndpoint" in execution.list_operations()


@pytest.mark.parametrize(
    "settings",
    [{}, {"encryption.customer_key": True}, SERVERLESS, SCALED, UNSCALED, CAPTURED],
    ids=["machines", "key", "serverless", "scaled", "no longer scaled", "captured"],
)
def test_leaves_an_endpoint_alone_that_is_as_asked(settings: dict[str, Any]) -> None:
    definition = read(settings)

    execution = run(definition, describe_made(definition))

    assert (execution.output["ModelName"], execution.output["EndpointConfigName"]) == ("run-0", "run-0")
    assert "SupersededBy" not in execution.output
    assert not {"createModel", "createEndpointConfig", "updateEndpoint"} & {*execution.list_operations()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {f"{ENDPOINT}.instance_type": "ml.c5.large"}),
        ({}, {f"{ENDPOINT}.instance_count": 2}),
        ({}, {f"{ENDPOINT}.metrics_seconds": 10}),
        ({f"{ENDPOINT}.metrics_seconds": 10}, {}),
        (SERVERLESS, {f"{ENDPOINT}.serverless": {"memory_mb": 2048, "max_concurrency": 5}}),
        (SERVERLESS, {f"{ENDPOINT}.serverless": {**SERVERLESS[f"{ENDPOINT}.serverless"], "memory_mb": 3072}}),
        (SERVERLESS, {f"{ENDPOINT}.serverless": {**SERVERLESS[f"{ENDPOINT}.serverless"], "max_concurrency": 6}}),
        (SERVERLESS, {}),
        ({}, CAPTURED),
        (CAPTURED, {}),
        (CAPTURED, {f"{ENDPOINT}.capture": {"percent": 11}}),
    ],
    ids=str,
)
def test_updates_an_endpoint_whose_settings_have_changed(before: dict[str, Any], after: dict[str, Any]) -> None:
    execution = run(read(after), describe_made(read(before)))

    assert updates(execution)
    assert execution.output["ModelPackageArn"] == f"{ARNS}3"
    assert not [asked for asked in execution.list_operations() if asked.endswith("Job")]


@pytest.mark.parametrize(
    ("operation", "change"),
    [
        ("describeEndpointConfig", {"KmsKeyId": "arn:another"}),
        ("describeModel", {"ExecutionRoleArn": "arn:another"}),
        ("describeModel", {"EnableNetworkIsolation": False}),
    ],
)
def test_updates_an_endpoint_with_another_key_or_role(operation: str, change: dict[str, Any]) -> None:
    definition = read({})
    answers = describe_made(definition)
    answers[operation] = [{**answers[operation][0], **change}]

    assert updates(run(definition, answers))


def test_leaves_the_number_of_machines_to_scaling() -> None:
    answers = describe_made(read(SCALED | {f"{ENDPOINT}.instance_count": 2}))

    assert not updates(run(read(SCALED), answers))


def test_returns_to_the_number_of_machines_once_scaling_is_off() -> None:
    answers = describe_made(read(UNSCALED))
    answers["describeEndpoint"][0] = {
        **answers["describeEndpoint"][0],
        "ProductionVariants": [{"DesiredInstanceCount": 3}],
    }

    assert updates(run(read(UNSCALED), answers))


def test_registers_an_endpoint_that_is_to_be_scaled_from_now_on() -> None:
    execution = run(read(SCALED), describe_made(read({})))

    assert not updates(execution)
    assert "registerScalableTarget" in execution.list_operations()
