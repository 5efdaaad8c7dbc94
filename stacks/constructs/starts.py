"""What starts executions of a state machine by itself: a schedule, and new data in the raw bucket."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.live_alias import LiveAlias
from stacks.settings.starting import StartSettings

# What says that all of the data has come: the object that writers of many objects leave last, and a list of them.
DONE_MARKER: Final = "_SUCCESS"
MANIFEST_ENDING: Final = ".manifest"


class Starts(Construct):
    """Rules that start executions, under a role that may start this state machine and nothing else.

    An event may come twice, and EventBridge names the executions: the second one waits for the first one's end.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: What starts.
        live: What is started.
        raw: The bucket of new data, which reports its objects to EventBridge.
        prefix: Where in it the workload's data is.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StartSettings,
        live: LiveAlias,
        raw: s3.IBucket,
        prefix: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._live = live
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        if settings.schedule:
            self._add_rule(
                "Schedule", "started by the schedule", schedule=events.Schedule.expression(settings.schedule)
            )
        if settings.on_new_data:
            pattern = events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [raw.bucket_name]}, "object": {"key": _match_keys(prefix)}},
            )
            self._add_rule("NewData", "started by new data", event_pattern=pattern)

    def _add_rule(self, construct_id: str, comment: str, **fires: Any) -> None:
        target = targets.SfnStateMachine(
            self._live.machine, input=events.RuleTargetInput.from_object({"Comment": comment}), role=self._role
        )
        rule = events.Rule(
            self,
            construct_id,
            description=f"Executions of {self._live.machine.node.path}: {comment}",
            targets=[target],
            **fires,
        )
        self._live.be_started_by(rule)


def _match_keys(prefix: str) -> list[str | Mapping[str, str]]:
    return [
        f"{prefix}{DONE_MARKER}",
        {"wildcard": f"{prefix}*/{DONE_MARKER}"},
        {"wildcard": f"{prefix}*{MANIFEST_ENDING}"},
    ]
