"""The bill of an environment, from answers such as Cost Explorer's."""

from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.cost.billed import Billed, BillError, read_bill


def group(service: str, usd: str) -> dict[str, Any]:
    return {"Keys": [service], "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}}


class Explorer:
    """A client that answers page by page, and keeps what it was asked."""

    def __init__(self, *pages: list[dict[str, Any]], error: str = "") -> None:
        self.pages, self.error, self.asked = list(pages), error, list[dict[str, Any]]()

    def get_cost_and_usage(self, **request: Any) -> dict[str, Any]:
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "GetCostAndUsage")
        self.asked.append(request)
        answer: dict[str, Any] = {"ResultsByTime": [{"Groups": self.pages.pop(0)}]}
        return answer | ({"NextPageToken": "more"} if self.pages else {})


def test_adds_the_pages_up_with_the_dearest_service_first() -> None:
    explorer = Explorer([group("AmazonFSx", "171.5"), group("AWS Lambda", "0")], [group("Amazon SageMaker", "204.25")])

    assert read_bill(explorer, "prod", date(2026, 11, 29)) == [
        Billed("Amazon SageMaker", 204.25),
        Billed("AmazonFSx", 171.5),
    ]
    assert explorer.asked[0]["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-11-29"}


def test_asks_for_this_platform_alone_where_other_teams_have_environments_too() -> None:
    explorer = Explorer([])

    read_bill(explorer, "prod", date(2026, 11, 29))

    assert explorer.asked[0]["Filter"] == {
        "And": [
            {"Tags": {"Key": "project", "Values": ["headrace"]}},
            {"Tags": {"Key": "environment", "Values": ["prod"]}},
        ]
    }


def test_asks_for_a_day_on_the_first_of_a_month() -> None:
    explorer = Explorer([])

    read_bill(explorer, "prod", date(2026, 12, 1))

    assert explorer.asked[0]["TimePeriod"] == {"Start": "2026-12-01", "End": "2026-12-02"}


def test_says_what_to_do_where_one_may_not_ask() -> None:
    with pytest.raises(BillError, match="allow ce:GetCostAndUsage"):
        read_bill(Explorer(error="AccessDeniedException"), "prod", date(2026, 11, 29))
