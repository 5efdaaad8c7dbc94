"""A Lambda function that a state machine calls, with the house's defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import Aws, Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.constructs.lambda_bundle import ARCHITECTURE, RUNTIME, bundle_code
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge
from stacks.settings.bundle_target import BundleTarget

_LAMBDA: Final = iam.ServicePrincipal(
    "lambda.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
)


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a function runs, and what it needs for that.

    Args:
        source: The program's folder.
        handler: What of the program is called.
        memory_mib: How much memory it has.
        timeout_seconds: How long it may take.
        disk_mib: How much it may write into its temporary folder; Lambda has at least 512, and 512 of it cost nothing.
    """

    source: Path
    handler: str
    memory_mib: int
    timeout_seconds: int
    disk_mib: int | None = None


class PipelineFunction(Construct):
    """A Graviton function that may write its log and nothing else, until its role is allowed more.

    Its log is kept as long as that of the state machine which calls it.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        program: What it runs.
        environment: What it finds in its environment.
        target: Where its code is to run.
        log: How the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        program: Program,
        environment: Mapping[str, str],
        target: BundleTarget,
        log: MachineLog,
    ) -> None:
        super().__init__(scope, construct_id)

        log_group = ExpiringLogGroup(self, "Logs", days=log.days, key=log.key, retain_data=log.retain_data)
        self.role = iam.Role(self, "Role", assumed_by=_LAMBDA)
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            architecture=ARCHITECTURE,
            code=bundle_code(program.source, target),
            environment=dict(environment),
            handler=program.handler,
            log_group=log_group,
            ephemeral_storage_size=Size.mebibytes(program.disk_mib) if program.disk_mib else None,
            memory_size=program.memory_mib,
            role=self.role,
            runtime=RUNTIME,
            timeout=Duration.seconds(program.timeout_seconds),
        )
        acknowledge(
            self.function,
            {
                "AwsSolutions-L1": "Python 3.13 is supported until 2029; the runtime moves on with that of the image "
                "normalizer, whose bundle is tested on it."
            },
        )
