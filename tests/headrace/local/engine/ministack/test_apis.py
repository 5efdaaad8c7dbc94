"""What headrace uses of the engine's API Gateway is still there and still works as assumed."""

import importlib
import inspect
from typing import Any

import pytest

from headrace.local.engine.ministack import apis as installed

URI = "arn:aws:apigateway:us-east-1:runtime.sagemaker:path/endpoints/shop/invocations"


@pytest.fixture(scope="module")
def apis() -> Any:
    return importlib.import_module("ministack.services.apigateway_v1")


def test_calls_what_is_replaced_for_integrations_with_services(apis: Any) -> None:
    dispatch = inspect.getsource(apis._execute_in_scope)

    assert "invoke = _invoke_lambda_custom_v1" in dispatch
    assert list(inspect.signature(apis._invoke_lambda_custom_v1).parameters)[:9] == [
        *("integration", "api_id", "stage_name", "stage", "resource", "request_path", "method", "headers", "body")
    ]


def test_reads_the_service_and_the_path_of_an_integration(apis: Any) -> None:
    assert apis._parse_service_integration_uri(URI) == (
        "us-east-1",
        "runtime.sagemaker",
        "path",
        "endpoints/shop/invocations",
    )


def test_chooses_an_answer_by_the_status_and_else_the_default(apis: Any) -> None:
    answers = {"400": {"statusCode": "400", "selectionPattern": "400"}, "500": {"statusCode": "500"}}

    chosen = [apis._select_service_integration_response({"integrationResponses": answers}, s) for s in (400, 403)]

    assert [answer["statusCode"] for answer in chosen] == ["400", "500"]


def test_gives_a_method_of_a_stack_its_validator(apis: Any, provisioners: Any) -> None:
    for kind in (installed.METHOD, installed.VALIDATOR):
        assert {"create", "update"} <= set(provisioners._RESOURCE_HANDLERS[kind])
    lookup = inspect.getsource(apis._check_request_validation)

    assert 'method_obj.get("requestValidatorId")' in lookup
    assert "_request_validators.get(api_id, {}).get(validator_id)" in lookup
    assert 'validator.get("validateRequestParameters")' in lookup


def test_keeps_the_role_of_an_integration(apis: Any) -> None:
    assert '"credentials": data.get("credentials")' in inspect.getsource(apis._put_integration)
