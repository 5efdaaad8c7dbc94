"""The image normalizer: small normalized images, made of photographs one by one or in bulk."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from headrace.normalizer import contract
from headrace.recipes import normalizer
from headrace.transformations.registry import find_transformation
from stacks.constructs.bulk_normalizer import BulkNormalizer, BulkSurroundings
from stacks.constructs.consumer import Consumer
from stacks.constructs.execution_role import list_job_roles
from stacks.constructs.failure_notices import FailureNotices, WatchedResources
from stacks.constructs.normalizer import Normalizer
from stacks.constructs.state_machine import StateMachine
from stacks.machine_surroundings import describe_clean_up, describe_log
from stacks.network_stack import NetworkStack
from stacks.registry_stack import RegistryStack
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.environment import Settings
from stacks.settings.normalizer import BulkSettings
from stacks.storage_stack import StorageStack

BULK_MACHINE = "normalizer"


class NormalizerStack(Stack):
    """The doors that the settings open: a function for single photographs, read by consumers, and a job for many."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: StorageStack,
        registry: RegistryStack,
        network: NetworkStack,
        target: BundleTarget,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = settings
        self._storage = storage
        self.consumers: dict[str, Consumer] = {}
        self.functions: dict[str, lambda_.Function] = {}
        self.bulk_machine: StateMachine | None = None

        if settings.normalizer.answers_requests:
            doors = {name: self._add_function(name, target) for name in settings.normalizer.transformations}
            self._answer_requests(doors)
        if settings.normalizer.bulk:
            self._add_bulk_door(settings.normalizer.bulk, registry, network, target)

    def _add_function(self, name: str, target: BundleTarget) -> Normalizer:
        return Normalizer(
            self,
            "Normalizer" if name == contract.DEFAULT_TRANSFORMATION else f"{contract.pascal_name(name)}Normalizer",
            transformation=find_transformation(name),
            settings=self._settings.normalizer,
            images=self._storage.raw,
            normalized_images=self._storage.work,
            key=self._storage.key,
            target=target,
            retain_data=self._settings.retain_data,
        )

    def _answer_requests(self, doors: Mapping[str, Normalizer]) -> None:
        settings = self._settings.normalizer
        self.functions = {name: door.function for name, door in doors.items()}
        self.consumers = {
            consumer.name: Consumer(
                self, f"{contract.pascal_name(consumer.name)}Consumer", settings=consumer, images=self._storage.raw
            )
            for consumer in settings.consumers
        }
        for consumer in self.consumers.values():
            # Roles of deployments from before weak references import it until they are deployed anew.
            self.export_value(consumer.readers.managed_policy_arn)
        for name, door in doors.items():
            consumers = [each for each in self.consumers.values() if each.settings.transformation == name]
            if settings.function_url:
                self._open_function_url(name, door, consumers)
            if settings.object_lambda and consumers:
                self._allow_object_lambda(door, consumers)

    def _open_function_url(self, name: str, normalizer: Normalizer, consumers: Sequence[Consumer]) -> None:
        url = normalizer.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        for consumer in consumers:
            consumer.add_function_url(url)
        CfnOutput(self, contract.function_url_output(name), value=url.url)

    def _allow_object_lambda(self, normalizer: Normalizer, consumers: Sequence[Consumer]) -> None:
        """Let readers and the function through the access points of the stack `ObjectLambda`, by their names."""
        arns = [
            consumer.add_object_lambda(self._settings.object_lambda_name(consumer.settings), normalizer.function)
            for consumer in consumers
        ]
        normalizer.role.add_to_policy(
            iam.PolicyStatement(actions=["s3-object-lambda:WriteGetObjectResponse"], resources=arns)
        )

    @property
    def function(self) -> lambda_.IFunction | None:
        """The function that normalizes photographs, if requests are answered."""
        return self.functions.get(contract.DEFAULT_TRANSFORMATION)

    def _add_bulk_door(
        self, settings: BulkSettings, registry: RegistryStack, network: NetworkStack, target: BundleTarget
    ) -> None:
        storage = self._storage
        bulk = BulkNormalizer(
            self,
            "Bulk",
            settings=settings,
            around=BulkSurroundings(
                raw=storage.raw,
                work=storage.work,
                key=storage.key,
                repository=registry.repositories[normalizer.BULK],
                image_uri=registry.find_image_uri(normalizer.BULK),
                subnets=network.subnets,
                group=network.groups.processing,
                tags=self._settings.job_tags(BULK_MACHINE),
            ),
            clean_up=describe_clean_up(self._settings, target),
            log=describe_log(
                self._settings, BULK_MACHINE, days=self._settings.normalizer.log_retention_days, key=storage.key
            ),
        )
        self.bulk_machine = bulk.state_machine
        if self._settings.alarms and self._settings.alarms.failures:
            watched = WatchedResources(roles=list_job_roles(bulk))
            FailureNotices(self, "Failures", environment=self._settings.environment, watched=watched)
        CfnOutput(self, contract.BULK_OUTPUT, value=bulk.state_machine.state_machine_arn)
