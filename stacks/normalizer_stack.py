"""The image normalizer: small pictures of one size and kind, made of raw images when somebody reads them."""

from typing import Any

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.image_normalizer import contract
from stacks.constructs.consumer import Consumer
from stacks.constructs.lambda_bundle import BundleTarget
from stacks.constructs.normalizer import Normalizer
from stacks.setting_sections import NormalizerSettings
from stacks.storage_stack import StorageStack

CLOSED_TO_NEW_ACCOUNTS = (
    "normalizer.object_lambda: AWS refuses S3 Object Lambda to accounts that had not used it by 7 November 2025; "
    "a new account has the function URL"
)


class NormalizerStack(Stack):
    """One function behind the doors that the settings open, and an access point for each consumer."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: NormalizerSettings,
        storage: StorageStack,
        target: BundleTarget,
        retain_data: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self._normalizer = Normalizer(
            self, "Normalizer", settings=settings, storage=storage, target=target, retain_data=retain_data
        )
        self._consumers = {
            consumer.name: Consumer(
                self, f"{_pascal_name(consumer.name)}Consumer", settings=consumer, images=storage.raw
            )
            for consumer in settings.consumers
        }
        if settings.function_url:
            self._open_function_url()
        if settings.object_lambda:
            self._open_object_lambda()

    def _open_function_url(self) -> None:
        url = self._normalizer.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        for consumer in self._consumers.values():
            consumer.add_function_url(url)
        CfnOutput(self, contract.FUNCTION_URL_OUTPUT, value=url.url)

    def _open_object_lambda(self) -> None:
        Annotations.of(self).add_warning_v2("millrace:object-lambda", CLOSED_TO_NEW_ACCOUNTS)
        for name, consumer in self._consumers.items():
            alias = consumer.add_object_lambda(self._normalizer.function, self._normalizer.role)
            CfnOutput(self, contract.object_lambda_output(name), value=alias)


def _pascal_name(name: str) -> str:
    return name.title().replace("-", "")
