"""Serverless endpoints: what SageMaker is asked for, and the endpoints that it would not make serverless."""

from typing import Any

import pytest

from tests.stacks.conftest import read_definition, template_of
from tests.stacks.executions import Execution, execute, fill_tokens
from tests.stacks.pipeline.test_executions import ANSWERS, SERVING

SERVERLESS = {"MemorySizeInMB": 3072, "MaxConcurrency": 20, "ProvisionedConcurrency": 2}


def read_states(variant: str) -> dict[str, Any]:
    states: dict[str, Any] = read_definition(template_of("BigMart", variant).to_json())["States"]
    return states


def run(config: dict[str, Any]) -> Execution:
    definition = fill_tokens(read_definition(template_of("Images", "serverless").to_json()))
    variant = {"ModelName": "run-0", **config}
    before = {"EndpointStatus": "InService", "EndpointConfigName": "run-0"}
    answers: dict[str, list[Any]] = {
        "describeEndpoint": [before, before, SERVING],
        "describeEndpointConfig": [{"ProductionVariants": [variant]}],
        "describeModel": [{"PrimaryContainer": {"Image": "another"}}],
    }
    return execute(definition, {}, {**ANSWERS, **answers})


def test_asks_for_memory_and_concurrency_instead_of_machines() -> None:
    (variant,) = read_states("serverless")["Create Endpoint Config"]["Arguments"]["ProductionVariants"]

    assert variant["ServerlessConfig"] == SERVERLESS
    assert not variant.keys() & {"InstanceType", "InitialInstanceCount"}


@pytest.mark.parametrize(("variant", "isolated"), [("dev", True), ("serverless", None)])
def test_isolates_the_model_unless_it_is_to_be_serverless(variant: str, isolated: bool | None) -> None:
    assert read_states(variant)["Save Model"]["Arguments"].get("EnableNetworkIsolation") is isolated


def test_ends_before_training_where_the_endpoint_has_machines() -> None:
    execution = run({"InstanceType": "ml.m5.large"})

    assert execution.error == "EndpointHasMachines"
    assert "headrace-dev-images has machines" in execution.cause
    assert "createTrainingJob" not in execution.list_operations()


def test_updates_an_endpoint_that_is_serverless() -> None:
    execution = run({"ServerlessConfig": SERVERLESS})

    assert execution.status == "SUCCEEDED"
    assert "updateEndpoint" in execution.list_operations()
