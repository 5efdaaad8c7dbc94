"""What executions have made, and what only looks so."""

from typing import Any

import boto3
import pytest

from headrace.deletion import executions
from headrace.deletion.executions import Made, find_made
from headrace.deletion.standing import Resource, StandingStack

ROLES = {"ours": "role/headrace-dev-endpoints", "theirs": "role/somebody-else"}
STACK = StandingStack(
    name="headrace-dev-bigmart",
    id="arn:stack",
    is_protected=False,
    outputs={"BigMartEndpointName": "sales"},
    exports=frozenset(),
    template={},
    resources=(Resource("Role", executions.ROLE, "headrace-dev-endpoints"),),
)


class SageMaker:
    """boto3's client: whose role a model has, which model a configuration, which configuration an endpoint."""

    def __init__(self, models: dict[str, str], configurations: dict[str, str], endpoints: dict[str, str]) -> None:
        self._models, self._configurations, self._endpoints = models, configurations, endpoints

    def get_paginator(self, operation: str) -> Any:
        names = {
            "list_models": ("Models", "ModelName", self._models),
            "list_endpoint_configs": ("EndpointConfigs", "EndpointConfigName", self._configurations),
            "list_endpoints": ("Endpoints", "EndpointName", self._endpoints),
        }
        key, name, found = names[operation]
        return type("Pages", (), {"paginate": lambda _: [{key: [{name: each} for each in found]}]})()

    def describe_model(self, **request: str) -> dict[str, str]:
        return {"ExecutionRoleArn": f"arn:aws:iam::123456789012:{ROLES[self._models[request['ModelName']]]}"}

    def describe_endpoint_config(self, **request: str) -> dict[str, Any]:
        return {"ProductionVariants": [{"ModelName": self._configurations[request["EndpointConfigName"]]}]}

    def describe_endpoint(self, **request: str) -> dict[str, str]:
        return {**request, "EndpointConfigName": self._endpoints[request["EndpointName"]]}


@pytest.mark.parametrize(
    ("sagemaker", "made"),
    [
        pytest.param(
            SageMaker({"m": "ours"}, {"c": "m"}, {"other-name": "c"}), Made(("other-name",), ("c",), ("m",)), id="ours"
        ),
        pytest.param(SageMaker({"m": "theirs"}, {"c": "m"}, {"sales": "c"}), Made(), id="somebody else's of our name"),
        pytest.param(SageMaker({}, {"c": "m"}, {"sales": "c"}), Made(("sales",)), id="its model is gone"),
        pytest.param(SageMaker({}, {}, {"sales": "c"}), Made(("sales",)), id="its configuration is gone"),
    ],
)
def test_knows_endpoints_by_their_models_role(
    monkeypatch: pytest.MonkeyPatch, sagemaker: SageMaker, made: Made
) -> None:
    monkeypatch.setattr(boto3, "client", lambda _: sagemaker)

    assert find_made([STACK]) == made
