"""What lets people know how a workload does, besides its executions."""

from constructs import Construct

from stacks.constructs.endpoint_alarms import EndpointAlarms
from stacks.constructs.execution_role import list_job_roles
from stacks.constructs.failure_notices import FailureNotices, WatchedResources
from stacks.settings.alarms import AlarmSettings
from stacks.settings.endpoint import EndpointSettings


def watch_workload(
    stack: Construct,
    settings: AlarmSettings,
    *,
    environment: str,
    workload: str,
    endpoint_name: str,
    endpoint: EndpointSettings,
) -> None:
    """Add alarms on a workload's endpoint and notices of what fails, as far as the settings turn them on.

    Args:
        stack: The workload's, with the roles of its jobs.
        settings: What is on.
        environment: The environment.
        workload: The workload.
        endpoint_name: Its endpoint.
        endpoint: What that stands on.
    """
    if settings.endpoints:
        EndpointAlarms(
            stack,
            "EndpointAlarms",
            environment=environment,
            workload=workload,
            endpoint_name=endpoint_name,
            endpoint=endpoint,
            settings=settings.endpoints,
        )
    if settings.failures:
        watched = WatchedResources(
            roles=list_job_roles(stack), endpoint_name=endpoint_name, is_kept=not endpoint.is_stoppable
        )
        FailureNotices(stack, "Failures", environment=environment, watched=watched)
