"""What the local cloud is, and what runs on it now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient
from headrace.local.page.sections.executions import Machine, list_machines
from headrace.local.page.sections.listings import ENDPOINT, JOB_KINDS, Listed, list_resources

_BUSY_SECONDS: Final = 1.5
_IDLE_SECONDS: Final = 4.0
_RECENT: Final = 5


@dataclass(frozen=True)
class Facts:
    """What was said when the local cloud was started.

    Args:
        port: Where it listens.
        evaluates_iam: Whether policies decide who may do what.
        limits: What its account and Region do not have, in JSON.
    """

    port: int
    evaluates_iam: bool
    limits: str


class Overview:
    """The first section.

    Args:
        clients: Finds the client of a service.
        facts: What the cloud was started with.
    """

    name: Final = "overview"
    title: Final = "Overview"

    def __init__(self, clients: FindClient, facts: Facts) -> None:
        self._clients = clients
        self._facts = facts

    def answer(self, request: Request) -> View:
        """What there is."""
        if request.segments[1:]:
            raise PageError(404, "the overview has no parts")
        stacks = self._clients("cloudformation").describe_stacks()["Stacks"]
        machines = list(list_machines(self._clients, _RECENT))
        jobs = [job for kind in JOB_KINDS for job in list_resources(self._clients, kind) or ()]
        return show_overview(self._facts, stacks, machines, jobs, list_resources(self._clients, ENDPOINT) or [])


def show_overview(
    facts: Facts,
    stacks: Sequence[Any],
    machines: Sequence[Machine],
    jobs: Sequence[Listed],
    endpoints: Sequence[Listed],
) -> View:
    """The overview.

    Args:
        facts: What the cloud was started with.
        stacks: The stacks as CloudFormation describes them.
        machines: The state machines with their latest executions.
        jobs: The latest jobs.
        endpoints: The endpoints.
    """
    executions = [(machine, execution) for machine in machines for execution in machine.executions]
    running = [pair for pair in executions if pair[1].is_running]
    working = [job for job in jobs if job.is_busy]
    is_busy = bool(running or working or any(endpoint.is_busy for endpoint in endpoints))
    values = {
        "facts": facts,
        "stacks": sorted(stacks, key=lambda stack: str(stack["StackName"])),
        "running": running,
        "latest": sorted(executions, key=lambda pair: pair[1].started, reverse=True)[:_RECENT],
        "working": working,
        "endpoints": endpoints,
    }
    return View("overview.html", "Overview", values, _BUSY_SECONDS if is_busy else _IDLE_SECONDS)
