"""The page with all its sections, for the server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.config import Config

from headrace.local.page.application import Page
from headrace.local.page.section import Clients
from headrace.local.page.sections.bill import BillSection
from headrace.local.page.sections.calls import Calls, ListCounts, ListUnused
from headrace.local.page.sections.endpoints import Endpoints
from headrace.local.page.sections.executions import Executions
from headrace.local.page.sections.inventory import Inventory
from headrace.local.page.sections.jobs import Jobs
from headrace.local.page.sections.overview import Facts, Overview
from headrace.local.page.sections.photographs import Photographs
from headrace.local.page.sections.registry import Registry
from headrace.local.page.tokens import Tokens

__all__ = ["Facts", "Page", "Records", "open_page"]

# Who looks at a page asks again; an endpoint takes a minute at most.
_ASK_ONCE: Final = Config(retries={"total_max_attempts": 1}, read_timeout=70, connect_timeout=5)


@dataclass(frozen=True)
class Records:
    """What the cloud has recorded itself, and no service says.

    Args:
        describe_usage: Says what was used, as `headrace.local.usage.Usage` does.
        list_counts: Lists the calls that were decided; None where none are.
        list_unused: Lists what a role may do and has not done.
    """

    describe_usage: Callable[[], Mapping[str, Any]]
    list_counts: ListCounts | None
    list_unused: ListUnused


def open_page(open_client: Callable[..., Any], secret: str, facts: Facts, records: Records) -> Page:
    """The page of a local cloud.

    Args:
        open_client: Opens a client that works as the cloud's owner.
        secret: That of the owner's key.
        facts: What the cloud was started with.
        records: What it has recorded.
    """
    clients = Clients(lambda service: open_client(service, config=_ASK_ONCE))
    sections = (
        Overview(clients, facts),
        Executions(clients),
        Jobs(clients),
        Endpoints(clients),
        Photographs(clients),
        Registry(clients),
        Inventory(clients),
        BillSection(records.describe_usage),
        Calls(clients, records.list_counts, records.list_unused),
    )
    return Page(sections, Tokens(secret))
