"""The function behind the normalizer's doors."""

from pathlib import Path

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace import transformations
from headrace.normalizer.contract import DEFAULT_TRANSFORMATION
from headrace.transformations.transformation import Transformation
from lambdas import image_normalizer
from lambdas.image_normalizer import contract
from lambdas.image_normalizer.contract import Variable
from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.constructs.image_access_point import ImageAccessPoint
from stacks.constructs.lambda_bundle import ARCHITECTURE, RUNTIME, bundle_code
from stacks.nag import acknowledge, wildcard_objects
from stacks.ownership import in_this_account
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.normalizer import NormalizerSettings

SOURCE = Path(image_normalizer.__path__[0])

_TRANSFORMATIONS = Path(transformations.__path__[0])

# Alarms look at what happened in this time.
_PERIOD = Duration.minutes(5)
# A request that takes this share of the function's time is about to be cut off.
_LATE = 0.8


def find_folder(transformation: Transformation) -> Path:
    """The folder of a transformation, which is all that its function has beside the doors."""
    return _TRANSFORMATIONS / transformation.name


class Normalizer(Construct):
    """A small Graviton function that may read what it transforms, keep the results and write its log: nothing else.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        transformation: What it does with what it reads.
        settings: Its limits.
        images: Where photographs and other objects are.
        normalized_images: Where they go.
        key: The customer's key, for both and for the log.
        target: Where its code is to run.
        retain_data: Whether its log outlives it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        transformation: Transformation,
        settings: NormalizerSettings,
        images: s3.IBucket,
        normalized_images: s3.IBucket,
        key: kms.IKey | None,
        target: BundleTarget,
        retain_data: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._transformation = transformation
        self._normalized_images = normalized_images

        source = ImageAccessPoint(self, "Source", bucket=images, prefix=transformation.raw_prefix)
        log_group = ExpiringLogGroup(self, "Logs", days=settings.log_retention_days, key=key, retain_data=retain_data)
        self.role = self._create_role(source, key)
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            architecture=ARCHITECTURE,
            code=bundle_code(SOURCE, target, find_folder(transformation)),
            environment=self._list_variables(source, keeps_all=settings.cache),
            handler=contract.FUNCTION_HANDLER,
            log_group=log_group,
            memory_size=transformation.memory_mib,
            reserved_concurrent_executions=settings.reserved_concurrency,
            role=self.role,
            runtime=RUNTIME,
            timeout=Duration.seconds(settings.timeout_seconds),
        )
        self._add_alarms(Duration.seconds(settings.timeout_seconds * _LATE))
        self._acknowledge()

    def _list_variables(self, source: ImageAccessPoint, *, keeps_all: bool) -> dict[str, str]:
        variables = {
            Variable.SOURCE: source.alias,
            Variable.CACHE_BUCKET: self._normalized_images.bucket_name,
            Variable.KEEPS_ALL: str(keeps_all).lower(),
            Variable.DNS_SUFFIX: Aws.URL_SUFFIX,
        }
        if self._transformation.name != DEFAULT_TRANSFORMATION:
            variables[Variable.TRANSFORMATION] = self._transformation.name
        return {str(name): value for name, value in variables.items()}

    def _create_role(self, source: ImageAccessPoint, key: kms.IKey | None) -> iam.Role:
        principal = iam.ServicePrincipal(
            "lambda.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )
        role = iam.Role(self, "Role", assumed_by=principal)
        source.allow_reading(role)
        # With it, S3 distinguishes a missing photograph from a forbidden one.
        source.allow_listing(role)
        normalized_images = self._normalized_images.arn_for_objects(f"{self._cache_prefix}*")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject"], resources=[normalized_images], conditions=in_this_account()
            )
        )
        if key:
            role.add_to_policy(
                iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn])
            )
        return role

    def _add_alarms(self, late: Duration) -> None:
        function = self.function
        alarms = {
            "Errors": (function.metric_errors(period=_PERIOD), 1, "failed without an answer"),
            "Throttles": (function.metric_throttles(period=_PERIOD), 1, "turned requests away"),
            "Late": (
                function.metric_duration(period=_PERIOD, statistic="Maximum"),
                late.to_milliseconds(),
                "needed almost all of its time for a request",
            ),
        }
        for construct_id, (metric, threshold, what) in alarms.items():
            cloudwatch.Alarm(
                self,
                construct_id,
                alarm_description=f"The {self._transformation.name} normalizer {what}",
                metric=metric,
                threshold=threshold,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )

    @property
    def _cache_prefix(self) -> str:
        return contract.cache_prefix(self._transformation.name)

    def _acknowledge(self) -> None:
        acknowledge(
            self.function,
            {
                "AwsSolutions-L1": "Python 3.13 is supported until 2029 and is the newest version whose arm64 build "
                "the emulated test of the bundle can run; the runtime moves on with that test."
            },
        )
        acknowledge(
            self.role,
            {
                wildcard_objects(self._normalized_images, f"{self._cache_prefix}*"): "They are named by a hash; "
                f"the prefix {self._cache_prefix} and the two listed actions limit what the function reaches."
            },
        )
