"""What AWS has billed for an environment, by the cost-allocation tags that say whose a thing is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace import contract
from headrace.errors import HeadraceError

# It answers here, for all Regions: https://docs.aws.amazon.com/general/latest/gr/billing.html
API_REGION: Final = "us-east-1"
_REFUSED: Final = ("AccessDeniedException", "DataUnavailableException")


class BillError(HeadraceError):
    """Cost Explorer does not say what was billed."""


@dataclass(frozen=True)
class Billed:
    """What a service has been billed for.

    Args:
        service: The service, as bills call it.
        usd: US dollars.
    """

    service: str
    usd: float


def read_bill(explorer: Any, environment: str, today: date) -> list[Billed]:
    """What was billed this month so far for what bears an environment's tags, the dearest service first.

    Args:
        explorer: boto3's client of Cost Explorer; asking costs 0.01 US dollars.
        environment: Which environment.
        today: The date.

    Raises:
        BillError: If one may not ask, or Cost Explorer has no data yet.
    """
    # The end is not part of it, and on the first day there is none yet.
    start, end = today.replace(day=1), max(today, today.replace(day=1) + timedelta(days=1))
    try:
        found = list(_ask(explorer, environment, start, end))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _REFUSED:
            raise
        raise BillError(
            f"Cost Explorer does not answer ({code}): enable it in the console of Billing, and allow ce:GetCostAndUsage"
        ) from error
    return sorted((each for each in found if each.usd), key=lambda each: -each.usd)


def _ask(explorer: Any, environment: str, start: date, end: date) -> Iterator[Billed]:
    request = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"],
        # Other teams of the account may have environments of the same name.
        "Filter": {
            "And": [
                {"Tags": {"Key": key, "Values": [value]}} for key, value in contract.default_tags(environment).items()
            ]
        },
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
    }
    while True:
        answer = explorer.get_cost_and_usage(**request)
        for period in answer["ResultsByTime"]:
            for group in period["Groups"]:
                yield Billed(group["Keys"][0], float(group["Metrics"]["UnblendedCost"]["Amount"]))
        if not (token := answer.get("NextPageToken")):
            return
        request["NextPageToken"] = token
