"""The alias that executions are started by, and the version of the state machine that it leads to."""

from typing import Final, cast

from aws_cdk import Acknowledgment, CfnDeletionPolicy, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace.contract import LIVE_ALIAS
from stacks.constructs.state_machine import StateMachine

_ALL: Final = 100


class LiveAlias(Construct):
    """Leads to the version of a state machine that was deployed last, or to the one that somebody goes back to.

    A deployment that changes the state machine publishes a version of it. Those before stay, so that there is one to go
    back to; they go with the state machine. IAM decides on the state machine whatever the alias or version, so who may
    start it may start the alias: https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        machine: The state machine.
    """

    def __init__(self, scope: Construct, construct_id: str, *, machine: StateMachine) -> None:
        super().__init__(scope, construct_id)
        self.machine = machine
        # Another revision replaces the version, so that the template need not change for that.
        version = sfn.CfnStateMachineVersion(
            self,
            "Version",
            state_machine_arn=machine.state_machine_arn,
            state_machine_revision_id=machine.state_machine_revision_id,
        )
        version.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        reason = "Versions go with the state machine; until then those of before are what one can go back to."
        Validations.of(version).acknowledge(Acknowledgment(id="CloudFormation-Validate::W3011", reason=reason))
        route = sfn.CfnStateMachineAlias.RoutingConfigurationVersionProperty(
            state_machine_version_arn=version.attr_arn, weight=_ALL
        )
        alias = sfn.CfnStateMachineAlias(self, "Alias", name=LIVE_ALIAS, routing_configuration=[route])
        self.arn = alias.attr_arn

    def be_started_by(self, rule: events.Rule) -> None:
        """Have a rule that starts the state machine start it by the alias, which CDK has no target for."""
        cast("events.CfnRule", rule.node.default_child).add_property_override("Targets.0.Arn", self.arn)
