"""What MiniStack's API Gateway is taught: methods that ask endpoints of SageMaker, as the role of their integration."""

import asyncio
import importlib
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from headrace.local.engine.mapping_templates import MappingTemplateError, render
from headrace.local.engine.ministack.access import Access
from headrace.local.engine.ministack.callers import SageMakerCalls
from headrace.local.engine.ministack.cloudformation import Provision
from headrace.local.engine.refusals import HttpAnswer
from headrace.local.engine.resources import Attributes

logger = logging.getLogger(__name__)

METHOD: Final = "AWS::ApiGateway::Method"
VALIDATOR: Final = "AWS::ApiGateway::RequestValidator"
_SERVICE: Final = "runtime.sagemaker"
_SESSION: Final = "BackplaneAssumeRoleSession"
_JSON: Final = "application/json"
# SageMaker's runtime, which speaks REST, denies with 403; its control plane with 400.
_DENIED: Final = "AccessDeniedException"
_TO: Final = "integration.request.header."
_FROM: Final = "method.request.header."
_BACK: Final = "method.response.header."
_ANSWERED: Final = "integration.response.header."

Ask = Callable[..., Coroutine[Any, Any, HttpAnswer]]


def install_apis(calls: SageMakerCalls, access: Access) -> None:
    """Teach MiniStack's REST APIs to ask endpoints, where an integration names SageMaker's runtime."""
    apis: Any = importlib.import_module("ministack.services.apigateway_v1")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS

    apis._invoke_lambda_custom_v1 = _ask_endpoints(apis, calls, access, apis._invoke_lambda_custom_v1)
    handlers[METHOD] = _keep_validator(apis, handlers[METHOD])
    handlers[VALIDATOR] = _make_validators(apis, handlers[VALIDATOR])


def _make_validators(apis: Any, handlers: Mapping[str, Any]) -> dict[str, Any]:
    """MiniStack's are names alone."""

    def note(validator_id: str, properties: Mapping[str, Any]) -> None:
        apis._request_validators.setdefault(properties["RestApiId"], {})[validator_id] = {
            "id": validator_id,
            "name": properties.get("Name", ""),
            "validateRequestBody": bool(properties.get("ValidateRequestBody")),
            "validateRequestParameters": bool(properties.get("ValidateRequestParameters")),
        }

    return _note(handlers, note)


def _keep_validator(apis: Any, handlers: Mapping[str, Any]) -> dict[str, Any]:
    """MiniStack's methods of stacks forget theirs."""

    def note(_method: str, properties: Mapping[str, Any]) -> None:
        resource = apis._resources[properties["RestApiId"]][properties["ResourceId"]]
        method = resource["resourceMethods"][properties["HttpMethod"]]
        method["requestValidatorId"] = properties.get("RequestValidatorId")

    return _note(handlers, note)


def _note(handlers: Mapping[str, Any], note: Callable[[str, Mapping[str, Any]], None]) -> dict[str, Any]:
    """Note each resource that is made or changed, by its id and its properties."""

    def after(provision: Provision, properties_at: int) -> Provision:
        def run(*arguments: Any) -> tuple[str, Attributes]:
            made = provision(*arguments)
            note(made[0], arguments[properties_at])
            return made

        return run

    return {**handlers, "create": after(handlers["create"], 1), "update": after(handlers["update"], 2)}


def _ask_endpoints(apis: Any, calls: SageMakerCalls, access: Access, ask_functions: Ask) -> Ask:
    async def run(integration: Mapping[str, Any], *rest: Any, **options: Any) -> HttpAnswer:
        named = apis._parse_service_integration_uri(integration.get("uri", ""))
        if not named or named[1:3] != (_SERVICE, "path"):
            return await ask_functions(integration, *rest, **options)
        _, _, _, _, _, _, headers, body, *_ = rest
        role = integration.get("credentials") or ""
        if not access.trusts(role, "apigateway.amazonaws.com"):
            logger.warning("api_role_not_assumed role=%s", role)
            return _say(500, "Internal server error")
        authorize = calls.authorize(access.open_session(role, _SESSION).key_id)
        sent = _map(integration.get("requestParameters") or {}, _TO, _FROM, headers or {})
        asking = asyncio.to_thread(
            calls.sagemaker.handle_http, "POST", f"/{named[3].lstrip('/')}", sent, body or b"", authorize
        )
        try:
            answer = await asyncio.wait_for(asking, float(integration.get("timeoutInMillis") or 29_000) / 1000)
        except TimeoutError:
            return _say(504, "Endpoint request timed out")
        return _map_answer(apis, integration, answer)

    return run


def _map_answer(apis: Any, integration: Mapping[str, Any], answer: HttpAnswer) -> HttpAnswer:
    """What becomes of SageMaker's answer."""
    status, headers, body = answer
    if headers.get("x-amzn-errortype") == _DENIED:
        status = 403
    selected = apis._select_service_integration_response(integration, status)
    if selected is None:
        return _say(500, "Internal server error")
    kept = {
        name.removeprefix(_BACK): headers[source.removeprefix(_ANSWERED)]
        for name, source in (selected.get("responseParameters") or {}).items()
        if source.removeprefix(_ANSWERED) in headers
    }
    kept.setdefault("Content-Type", _JSON)
    template = (selected.get("responseTemplates") or {}).get(_JSON)
    if template is None:
        return int(selected["statusCode"]), kept, body
    try:
        text, override = render(template, body)
    except MappingTemplateError as error:
        return _say(500, str(error))
    return override or int(selected["statusCode"]), kept, text.encode()


def _map(parameters: Mapping[str, str], to: str, source: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that go on, by the names that they go on under."""
    given = {name.lower(): value for name, value in headers.items()}
    return {
        name.removeprefix(to): given[wanted]
        for name, origin in parameters.items()
        if (wanted := origin.removeprefix(source).lower()) in given
    }


def _say(status: int, message: str) -> HttpAnswer:
    return status, {"Content-Type": _JSON}, json.dumps({"message": message}).encode()
