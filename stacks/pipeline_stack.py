"""What trains and deploys models: the state machine and the roles of its jobs."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from millrace import contract
from stacks.constructs.training_pipeline import PipelineResources, TrainingPipeline
from stacks.settings import Settings


class PipelineStack(Stack):
    """The state machine from raw rows to a live endpoint."""

    def __init__(
        self, scope: Construct, construct_id: str, *, resources: PipelineResources, settings: Settings, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.pipeline = TrainingPipeline(self, "Training", resources=resources, settings=settings)

        CfnOutput(self, contract.STATE_MACHINE_OUTPUT, value=self.pipeline.state_machine.state_machine_arn)
