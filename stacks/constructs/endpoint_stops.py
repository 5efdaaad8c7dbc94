"""What stops an endpoint by itself, where the settings ask for it."""

from constructs import Construct

from stacks.constructs.endpoint_hours import EndpointHours
from stacks.constructs.idle_stop import IdleStop
from stacks.constructs.live_alias import LiveAlias
from stacks.settings.endpoint import EndpointSettings


def add_stops(
    scope: Construct, endpoint: EndpointSettings, live: LiveAlias, *, environment: str, workload: str, name: str
) -> None:
    """Add what starts executions that stop an endpoint of this name, and start it again."""
    if endpoint.hours:
        EndpointHours(scope, "EndpointHours", settings=endpoint.hours, live=live)
    if endpoint.idle_stop_days:
        IdleStop(
            scope,
            "IdleStop",
            environment=environment,
            workload=workload,
            endpoint_name=name,
            endpoint=endpoint,
            days=endpoint.idle_stop_days,
            live=live,
        )
