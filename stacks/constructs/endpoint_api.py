"""A REST API whose routes lead to endpoints, without a function in between."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import ArnFormat, Aws, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from containers.images.inference import contract as images
from headrace import contract
from headrace.recipes import Recipe
from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.settings.front_door import FrontDoorSettings
from stacks.settings.transform import reads_lines

# API Gateway ends a request after it: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
LONGEST: Final = Duration.seconds(29)
_CONTENT_TYPE: Final = "Content-Type"
# What passes as it is; all else is text in UTF-8.
_PHOTOGRAPHS: Final = (images.IMAGE, images.JPEG, images.PNG)
# What an answer says of the endpoint.
_JSON: Final = "application/json"
_VARIABLES: Final[Mapping[str, str]] = {
    "time": "$context.requestTimeEpoch",
    "request": "$context.requestId",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "address": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "user": "$context.authorizer.claims.sub",
    "tls": "$context.tlsVersion",
    "web_acl": "$context.waf.status",
    "endpoint_status": "$context.integration.status",
    "endpoint_milliseconds": "$context.integration.latency",
    "milliseconds": "$context.responseLatency",
    "bytes": "$context.responseLength",
}
# The container's status is SageMaker's 424: its own stands in the body, nothing or 0 where the container gave none.
AS_THE_CONTAINER: Final = (
    "#set($status = $input.path('$.OriginalStatusCode'))"
    "#if($status >= 400)#set($context.responseOverride.status = $status)#end"
    """{"message": $input.json('$.OriginalMessage')}"""
)


@dataclass(frozen=True)
class Route:
    """A way through the API.

    Args:
        recipe: The workload.
        endpoint_name: Its endpoint.
    """

    recipe: Recipe
    endpoint_name: str

    @property
    def takes_photographs(self) -> bool:
        """Whether what is sent there is not text."""
        return not reads_lines(self.recipe.serving.content_type)


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """How logs are kept.

    Args:
        key: What encrypts them.
        retain_data: Whether they outlive the stack.
    """

    key: kms.IKey | None
    retain_data: bool


class EndpointApi(Construct):
    """POST /WORKLOAD/invocations for each workload, for callers whom IAM or a user pool knows.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        name: What it and its metrics are called.
        settings: How much it takes.
        routes: Where it leads.
        authorizer: Who knows its callers; None for IAM.
        keeping: How its logs are kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: FrontDoorSettings,
        routes: list[Route],
        authorizer: apigateway.IAuthorizer | None,
        keeping: Keeping,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name, self._settings, self._keeping = name, settings, keeping
        self.access_logs = self._keep("AccessLogs")
        self.api = self._create_api(routes)
        self.stage = self.api.deployment_stage
        # API Gateway would make it without a retention and a key.
        group = f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{contract.FRONT_DOOR_STAGE}"
        self.stage.node.add_dependency(self._keep("ExecutionLogs", group))
        self._validator = self.api.add_request_validator("Validator", validate_request_parameters=True)
        for route in routes:
            self._lead_to(route, authorizer)

    def _keep(self, construct_id: str, name: str | None = None) -> logs.ILogGroup:
        return ExpiringLogGroup(
            self,
            construct_id,
            days=self._settings.log_retention_days,
            key=self._keeping.key,
            retain_data=self._keeping.retain_data,
            log_group_name=name,
        )

    def _create_api(self, routes: list[Route]) -> apigateway.RestApi:
        api = apigateway.RestApi(
            self,
            "Resource",
            rest_api_name=self.name,
            description="Leads to Headrace's endpoints",
            binary_media_types=list(_PHOTOGRAPHS) if any(route.takes_photographs for route in routes) else None,
            endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            # It is the account's, and each environment would replace that of the others.
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=contract.FRONT_DOOR_STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_logs),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps({"api": self.name, **_VARIABLES})),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                metrics_enabled=False,
                throttling_rate_limit=self._settings.requests_per_second,
                throttling_burst_limit=self._settings.burst,
            ),
        )
        resource = api.node.default_child
        assert isinstance(resource, apigateway.CfnRestApi)  # noqa: S101 (what an API is made of)
        # TLS 1.2 and 1.3; CDK's own property knows it for domain names only.
        resource.security_policy = "SecurityPolicy_TLS13_1_2_PQ_2025_09"
        resource.endpoint_access_mode = "STRICT"
        # Our outputs have names that the library knows.
        api.node.try_remove_child("Endpoint")
        return api

    def _lead_to(self, route: Route, authorizer: apigateway.IAuthorizer | None) -> None:
        role = self._create_role(route)
        resource = self.api.root.add_resource(route.recipe.name).add_resource("invocations")
        resource.add_method(
            "POST",
            apigateway.AwsIntegration(
                service="runtime.sagemaker",
                path=f"endpoints/{route.endpoint_name}/invocations",
                options=apigateway.IntegrationOptions(
                    credentials_role=role,
                    timeout=LONGEST,
                    passthrough_behavior=apigateway.PassthroughBehavior.WHEN_NO_TEMPLATES,
                    request_parameters={
                        f"integration.request.header.{header}": f"method.request.header.{header}"
                        for header in (_CONTENT_TYPE, "Accept")
                    },
                    integration_responses=list(_list_answers()),
                ),
            ),
            authorization_type=apigateway.AuthorizationType.COGNITO if authorizer else apigateway.AuthorizationType.IAM,
            authorizer=authorizer,
            request_parameters={f"method.request.header.{_CONTENT_TYPE}": True, "method.request.header.Accept": False},
            request_validator=self._validator,
            method_responses=[
                apigateway.MethodResponse(
                    status_code=answer.status_code,
                    response_parameters=dict.fromkeys(answer.response_parameters or (), True),
                )
                for answer in _list_answers()
            ],
        )

    def _create_role(self, route: Route) -> iam.Role:
        endpoint = Stack.of(self).format_arn(
            service="sagemaker",
            resource="endpoint",
            # SageMaker writes the names of endpoints in lower case in their ARNs.
            resource_name=route.endpoint_name.lower(),
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        role = iam.Role(
            self,
            f"{route.recipe.stack_id}Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description=f"Lets an API ask the endpoint of {route.recipe}",
        )
        role.add_to_policy(iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[endpoint]))
        return role

    def url_of(self, recipe: Recipe) -> str:
        """Where a workload is asked."""
        return f"{self.api.url_for_path(path_of(recipe))}"

    def arn_of(self, recipe: Recipe) -> str:
        """What a caller must be allowed to invoke for a workload."""
        return self.api.arn_for_execute_api("POST", path_of(recipe), contract.FRONT_DOOR_STAGE)

    @property
    def domain_name(self) -> str:
        """The host that answers."""
        return f"{self.api.rest_api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"


def path_of(recipe: Recipe) -> str:
    """The path of a workload, below the stage."""
    return f"/{recipe.name}/invocations"


def _list_answers() -> Iterator[apigateway.IntegrationResponse]:
    """What becomes of the statuses that SageMaker answers with.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html. Its own texts name the
    account and its logs, and so do not reach the caller. What none of these knows is the default's: a fault of ours.
    """
    yield apigateway.IntegrationResponse(
        status_code="200",
        selection_pattern="200",
        response_parameters={f"method.response.header.{_CONTENT_TYPE}": f"integration.response.header.{_CONTENT_TYPE}"},
    )
    yield _say("400", "the endpoint does not stand, or does not take such a request")
    yield _say("413", "the body is larger than the endpoint takes")
    yield apigateway.IntegrationResponse(
        status_code="502", selection_pattern="424", response_templates={_JSON: AS_THE_CONTAINER}
    )
    yield _say("429", "too many requests; try again")
    yield _say("503", "the endpoint is not ready; try again")
    yield _say("500", "the endpoint could not be asked", pattern=None)


def _say(status: str, message: str, pattern: str | None = "") -> apigateway.IntegrationResponse:
    return apigateway.IntegrationResponse(
        status_code=status,
        selection_pattern=status if pattern == "" else pattern,
        response_templates={_JSON: json.dumps({"message": message})},
    )
