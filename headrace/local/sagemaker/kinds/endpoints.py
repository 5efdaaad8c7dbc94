"""Endpoints: created, updated without a gap, rolled back, resized, deleted, invoked."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from headrace.local.faults import Effect
from headrace.local.sagemaker.catalog import read_tags
from headrace.local.sagemaker.deployments import LOG_GROUPS, Deployment
from headrace.local.sagemaker.endpoint import Endpoint, describe_unknown_endpoint
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.kind import Handler, KindLog, ResourceKind
from headrace.local.sagemaker.kinds.endpoint_configs import EndpointConfigs
from headrace.local.sagemaker.kinds.models import Models
from headrace.local.sagemaker.metrics import CLOUDWATCH_ERRORS
from headrace.local.sagemaker.networking import check_network
from headrace.local.sagemaker.rollout import Rollout, read_rollout
from headrace.local.sagemaker.rules import list_containers

_WEIGHT: Final = "DesiredWeight"
_COUNT: Final = "DesiredInstanceCount"
_MISHAPS: Final = frozenset({Effect.NO_CAPACITY, Effect.UNHEALTHY, Effect.BREAKS})


class Endpoints(ResourceKind[Endpoint]):
    """The endpoint operations of the API, its runtime's included."""

    name: ClassVar[str] = "Endpoint"
    log: ClassVar[KindLog | None] = KindLog("endpoint", LOG_GROUPS, is_of_each=True)

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Updates and Delete, besides those that every kind has."""
        return {
            **super().operations,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.resize,
            "DeleteEndpoint": self.delete,
        }

    @property
    def runtime_operations(self) -> Mapping[str, Handler]:
        """The one that sends a request to a model."""
        return {"InvokeEndpoint": self.invoke}

    def make(self, request: Mapping[str, Any]) -> Endpoint:
        """The endpoint that a request asks for."""
        deployment = self._plan_deployment(request)
        config = request.get("DeploymentConfig")
        self._plan_rollout(config, deployment)
        self._meet_fault("CreateEndpoint", request, deployment)
        return Endpoint(request["EndpointName"], self._host, deployment, read_tags(request), config)

    def check_start(self, resource: Endpoint) -> None:
        """Raises SageMaker's refusal where the account may not have the endpoint's instances."""
        for variant in resource.instances:
            self._check_quota(variant)

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateEndpoint: what serves now keeps answering until its replacement is healthy."""
        endpoint = self.find_requested(request)
        deployment = self._plan_deployment(request)
        check_same_kind(endpoint.active, deployment)
        if request.get("RetainAllVariantProperties"):
            retain_properties(endpoint.active, deployment, request.get("ExcludeRetainedVariantProperties", ()))
        kept = endpoint.deployment_config if request.get("RetainDeploymentConfig") else None
        config = request.get("DeploymentConfig") or kept
        rollout = self._plan_rollout(config, deployment)
        endpoint.check_update()
        self._check_quota({**deployment.variant, "InitialInstanceCount": deployment.instances})
        self._meet_fault("UpdateEndpoint", request, deployment)
        endpoint.update(deployment, rollout, config)
        return {"EndpointArn": endpoint.arn}

    def resize(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateEndpointWeightsAndCapacities: returns while the endpoint is being changed."""
        endpoint = self.find_requested(request)
        wanted = read_resize(request, endpoint.active)
        endpoint.check_update()
        more = wanted.get(_COUNT, 0) - endpoint.active.instances
        if more > 0:
            self._check_quota({**endpoint.active.variant, "InitialInstanceCount": more})
        endpoint.resize(
            weight=wanted.get(_WEIGHT), instances=wanted.get(_COUNT), serverless=wanted.get("ServerlessUpdateConfig")
        )
        return {"EndpointArn": endpoint.arn}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEndpoint: returns while the endpoint is still being deleted."""
        endpoint = self.find_requested(request)
        endpoint.delete(lambda: self._catalog.remove(endpoint.name))
        return {}

    def invoke(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """InvokeEndpoint of the runtime API, where unlike elsewhere the case of the name matters."""
        endpoint = self._catalog.find(request["EndpointName"])
        if not endpoint or endpoint.name != request["EndpointName"]:
            raise describe_unknown_endpoint(request["EndpointName"], self._host.account)
        return endpoint.invoke(request)

    def _meet_fault(self, operation: str, request: Mapping[str, Any], deployment: Deployment) -> None:
        fault = self._host.faults.take("sagemaker", operation, request, _MISHAPS)
        deployment.mishap = fault.effect if fault else None

    def _check_quota(self, variant: Mapping[str, Any]) -> None:
        running = [held for endpoint in self.resources() for held in endpoint.instances]
        self._host.check_quota("endpoint usage", variant, running)

    def _plan_deployment(self, request: Mapping[str, Any]) -> Deployment:
        config = self._kinds.find(EndpointConfigs).find(request["EndpointConfigName"])
        (variant,) = config.request["ProductionVariants"]
        model = self._kinds.find(Models).find(variant["ModelName"])
        (container,) = list_containers(model.request)
        environment = container.get("Environment", {})
        check_network(self._host, "The endpoint", model.request.get("VpcConfig"), environment=environment)
        return Deployment(self._host, request["EndpointName"], config, model)

    def _plan_rollout(self, config: Mapping[str, Any] | None, deployment: Deployment) -> Rollout:
        rollout = read_rollout(config, deployment.instances)
        try:
            states = deployment.list_states(rollout.alarms)
        except CLOUDWATCH_ERRORS as error:
            raise RequestRefusedError(
                "The alarms of AutoRollbackConfiguration cannot be seen: the execution role of the model needs "
                f"cloudwatch:DescribeAlarms on them ({error})."
            ) from error
        if missing := sorted(set(rollout.alarms) - set(states)):
            raise RequestRefusedError(f"There are no alarms {', '.join(missing)} for AutoRollbackConfiguration.")
        return rollout


def check_same_kind(active: Deployment, deployment: Deployment) -> None:
    """Raises RequestRefusedError where an update would make a serverless endpoint of one with instances.

    Back is allowed: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html
    """
    if deployment.serverless and not active.serverless:
        raise RequestRefusedError(
            "An endpoint that is with instances cannot be updated to one that is serverless; create another endpoint."
        )


def retain_properties(active: Deployment, deployment: Deployment, excluded: Iterable[Mapping[str, str]]) -> None:
    """Give new machines the count and the weight of those that serve, but for what is excluded."""
    changed = {each["VariantPropertyType"] for each in excluded}
    if _COUNT not in changed:
        deployment.instances = active.instances
    if _WEIGHT not in changed:
        deployment.weight = active.weight


def read_resize(request: Mapping[str, Any], active: Deployment) -> Mapping[str, Any]:
    """What UpdateEndpointWeightsAndCapacities wants of the endpoint's one variant."""
    name = active.variant["VariantName"]
    wanted = request["DesiredWeightsAndCapacities"]
    if unknown := sorted({each["VariantName"] for each in wanted} - {name}):
        raise RequestRefusedError(f"The endpoint has no variant {', '.join(unknown)}; it has {name}.")
    if len(wanted) != 1:
        raise RequestRefusedError(f"Variant {name} must be given once.")
    (found,) = wanted
    unfit = _COUNT if active.serverless else "ServerlessUpdateConfig"
    if unfit in found:
        kind = "is serverless" if active.serverless else "has instances"
        raise RequestRefusedError(f"Variant {name} {kind}: {unfit} cannot be changed.")
    return dict(found)
