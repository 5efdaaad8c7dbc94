"""The image normalizer: small normalized images, made of photographs one by one or in bulk."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from headrace.normalizer import contract
from headrace.recipes import normalizer
from stacks.constructs.bulk_normalizer import BulkNormalizer, BulkSurroundings
from stacks.constructs.clean_up import CleanUpSurroundings
from stacks.constructs.consumer import Consumer
from stacks.constructs.normalizer import Normalizer
from stacks.constructs.state_machine import MachineLog, StateMachine
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
        self.function_arn = ""
        self.bulk_machine: StateMachine | None = None

        if settings.normalizer.answers_requests:
            self._answer_requests(target)
        if settings.normalizer.bulk:
            self._add_bulk_door(settings.normalizer.bulk, registry, network, target)

    def _answer_requests(self, target: BundleTarget) -> None:
        settings = self._settings.normalizer
        door = Normalizer(
            self,
            "Normalizer",
            settings=settings,
            images=self._storage.raw,
            normalized_images=self._storage.work,
            key=self._storage.key,
            target=target,
            retain_data=self._settings.retain_data,
        )
        self.function_arn = door.function.function_arn
        self.consumers = {
            consumer.name: Consumer(
                self, f"{contract.pascal_name(consumer.name)}Consumer", settings=consumer, images=self._storage.raw
            )
            for consumer in settings.consumers
        }
        for consumer in self.consumers.values():
            # Roles of deployments from before weak references import it until they are deployed anew.
            self.export_value(consumer.readers.managed_policy_arn)
        if settings.function_url:
            self._open_function_url(door)
        if settings.object_lambda:
            self._allow_object_lambda(door)

    def _open_function_url(self, normalizer: Normalizer) -> None:
        url = normalizer.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        for consumer in self.consumers.values():
            consumer.add_function_url(url)
        CfnOutput(self, contract.FUNCTION_URL_OUTPUT, value=url.url)

    def _allow_object_lambda(self, normalizer: Normalizer) -> None:
        """Let readers and the function through the access points of the stack `ObjectLambda`, by their names."""
        arns = [
            consumer.add_object_lambda(self._settings.object_lambda_name(consumer.settings), normalizer.function)
            for consumer in self.consumers.values()
        ]
        normalizer.role.add_to_policy(
            iam.PolicyStatement(actions=["s3-object-lambda:WriteGetObjectResponse"], resources=arns)
        )

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
            clean_up=CleanUpSurroundings(
                environment=self._settings.environment, notifies=self._settings.alarms is not None, target=target
            ),
            log=MachineLog(
                environment=self._settings.environment,
                machine=BULK_MACHINE,
                days=self._settings.normalizer.log_retention_days,
                key=storage.key,
                retain_data=self._settings.retain_data,
            ),
        )
        self.bulk_machine = bulk.state_machine
        CfnOutput(self, contract.BULK_OUTPUT, value=bulk.state_machine.state_machine_arn)
