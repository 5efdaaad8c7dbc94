"""The API in front of endpoints, for callers who are not in the account's network, or not in the account."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from constructs import Construct

from headrace import contract
from headrace.recipes import Recipe
from stacks.constructs.callers import Callers
from stacks.constructs.delivery import PROOF_HEADER, Delivery, Proof
from stacks.constructs.endpoint_api import EndpointApi, Keeping, Route
from stacks.constructs.front_door_alarms import FrontDoorAlarms
from stacks.constructs.web_acl import WebAcl
from stacks.nag import acknowledge
from stacks.settings.environment import Settings
from stacks.settings.front_door import FrontDoorSettings


class FrontDoorStack(Stack):
    """By setting: an API that knows endpoints by their names, and so needs no other stack than that of the key.

    Args:
        scope: The app.
        construct_id: The stack's id there.
        settings: The environment's settings.
        key: The key of the customer, where there is one.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey | None, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._environment, self._retain_data, self._key = settings.environment, settings.retain_data, key
        self.invocable: tuple[str, ...] = ()

        if front_door := settings.front_door:
            recipes = [recipe for recipe in settings.recipes if recipe.name in front_door.workloads]
            routes = [Route(recipe, settings.endpoint_name(recipe)) for recipe in recipes]
            door = self._create_api(front_door, routes)
            self._protect(door, front_door, routes)
            if settings.alarms and settings.alarms.front_door:
                FrontDoorAlarms(self, "Alarms", api=door, settings=settings.alarms.front_door)
            if front_door.authorization == "iam":
                self.invocable = tuple(door.arn_of(recipe) for recipe in recipes)

    def _create_api(self, settings: FrontDoorSettings, routes: list[Route]) -> EndpointApi:
        door = EndpointApi(
            self,
            "Api",
            name=contract.front_door_name(self._environment),
            settings=settings,
            routes=routes,
            authorizer=self._create_authorizer(settings),
            keeping=Keeping(key=self._key, retain_data=self._retain_data),
        )
        acknowledge(
            door.api,
            {
                "AwsSolutions-APIG2": "API Gateway validates bodies by a schema of JSON, and these are rows or "
                "photographs, which the container checks; that they name their type is validated.",
            },
        )
        if settings.authorization == "iam":
            for route in routes:
                method = door.api.root.resource_for_path(f"{route.recipe}/invocations").node.find_child("POST")
                acknowledge(
                    method,
                    {
                        "AwsSolutions-COG4": "IAM knows its callers: they sign each request and need the permission to "
                        "invoke this method; front_door.authorization asks a user pool instead."
                    },
                )
        return door

    def _create_authorizer(self, settings: FrontDoorSettings) -> apigateway.IAuthorizer | None:
        if settings.authorization == "iam":
            return None
        return apigateway.CognitoUserPoolsAuthorizer(self, "Authorizer", cognito_user_pools=[self._find_pool(settings)])

    def _find_pool(self, settings: FrontDoorSettings) -> cognito.IUserPool:
        if settings.user_pool:
            return cognito.UserPool.from_user_pool_arn(self, "UserPool", settings.user_pool)
        callers = Callers(self, "Callers", retain_data=self._retain_data)
        CfnOutput(self, contract.USER_POOL_OUTPUT, value=callers.pool.user_pool_id)
        CfnOutput(self, contract.USER_POOL_CLIENT_OUTPUT, value=callers.client.user_pool_client_id)
        return callers.pool

    def _protect(self, door: EndpointApi, settings: FrontDoorSettings, routes: list[Route]) -> None:
        """The web ACL and CloudFront, where they are on, and the addresses by which workloads are asked."""
        proof = Proof(self, "Proof", key=self._key) if settings.cloudfront else None
        if settings.web_acl:
            WebAcl(
                self,
                "WebAcl",
                name=door.name,
                settings=settings,
                stage=door.stage,
                takes_photographs=any(route.takes_photographs for route in routes),
                proof=(PROOF_HEADER, proof.value) if proof else None,
            )
        else:
            acknowledge(
                door.stage,
                {
                    "AwsSolutions-APIG3": "front_door.web_acl is a setting, as it costs 9 a month; every caller is "
                    "known by signature or token all the same, and each method takes a limited number of requests."
                },
            )
        if settings.cloudfront and proof:
            delivery = Delivery(
                self, "Delivery", settings=settings.cloudfront, api_domain=door.domain_name, proof=proof
            )
            CfnOutput(self, contract.DISTRIBUTION_OUTPUT, value=delivery.distribution.distribution_domain_name)
        for route in routes:
            CfnOutput(self, route.recipe.front_door_output, value=self._address(door, settings, route.recipe))

    def _address(self, door: EndpointApi, settings: FrontDoorSettings, recipe: Recipe) -> str:
        if settings.cloudfront:
            return f"https://{settings.cloudfront.domain_name}/{recipe}/invocations"
        return door.url_of(recipe)
