"""Today's prices, from AWS's Price List Query API, which any account may ask.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html describes it; the types of
usage are those that bills name, with the Region before them. They have not been tried on an account: a price that is
not found, or is a different one by far, keeps its value, and that is said.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from headrace.inventory.prices import INSTANCE, Price, PriceList

# It answers in few Regions, for all of them.
API_REGION: Final = "us-east-1"
_MOST_TIMES: Final = 3.0
_SAGEMAKER: Final = "AmazonSageMaker"


@dataclass(frozen=True)
class Query:
    """Where a price is.

    Args:
        service: The service's code.
        usage: How the type of usage ends.
        attributes: What else the product must be.
    """

    service: str
    usage: str
    attributes: Mapping[str, str]


def _query(service: str, usage: str, **attributes: str) -> Query:
    return Query(service, usage, attributes)


QUERIES: Final[Mapping[str, Query]] = {
    "s3-gb-month": _query("AmazonS3", "TimedStorage-INT-FA-ByteHrs"),
    "s3-monitored-object-month": _query("AmazonS3", "Monitoring-Automation-INT"),
    "s3-put": _query("AmazonS3", "Requests-INT-Tier1"),
    "s3-list": _query("AmazonS3", "Requests-Tier1"),
    "s3-get": _query("AmazonS3", "Requests-INT-Tier2"),
    "s3-tiering-transition": _query("AmazonS3", "Requests-INT-Tier4"),
    "efs-gb-month": _query("AmazonEFS", "TimedStorage-ByteHrs"),
    "efs-gb-read": _query("AmazonEFS", "ETDataAccess-Bytes", accessType="Read"),
    "efs-gb-written": _query("AmazonEFS", "ETDataAccess-Bytes", accessType="Write"),
    "fsx-scratch-gb-month": _query("AmazonFSx", "ScratchStorage", fileSystemType="Lustre"),
    **{
        f"fsx-persistent-{mb}-gb-month": _query(
            "AmazonFSx", "Storage", fileSystemType="Lustre", throughputCapacity=f"{mb}"
        )
        for mb in (125, 250, 500, 1000)
    },
    "ecr-gb-month": _query("AmazonECR", "TimedStorage-ByteHrs"),
    "logs-gb-month": _query("AmazonCloudWatch", "TimedStorage-ByteHrs"),
    "logs-gb-written": _query("AmazonCloudWatch", "DataProcessing-Bytes"),
    "alarm-month": _query("AmazonCloudWatch", "CW:AlarmMonitorUsage"),
    "alarm-often-month": _query("AmazonCloudWatch", "CW:HighResAlarmMonitorUsage"),
    "metric-month": _query("AmazonCloudWatch", "CW:MetricMonitorUsage"),
    "nat-gateway-hour": _query("AmazonEC2", "NatGateway-Hours"),
    "nat-gb": _query("AmazonEC2", "NatGateway-Bytes"),
    "public-address-hour": _query("AmazonVPC", "PublicIPv4:InUseAddress"),
    "interface-endpoint-hour": _query("AmazonVPC", "VpcEndpoint-Hours"),
    "interface-endpoint-gb": _query("AmazonVPC", "VpcEndpoint-Bytes"),
    "key-month": _query("awskms", "KMS-Keys"),
    "key-request": _query("awskms", "KMS-Requests"),
    "lambda-arm64-gb-second": _query("AWSLambda", "Lambda-GB-Second-ARM"),
    "lambda-x86-gb-second": _query("AWSLambda", "Lambda-GB-Second"),
    "lambda-request": _query("AWSLambda", "Request"),
    "transition": _query("AmazonStates", "StateTransition"),
    "queue-request": _query("AWSQueueService", "Requests-RBP"),
    "notice-e-mail": _query("AmazonSNS", "DeliveryAttempts-SMTP"),
    "rest-api-request": _query("AmazonApiGateway", "ApiGatewayRequest"),
    "web-acl-month": _query("awswaf", "WebACLV2"),
    "web-acl-rule-month": _query("awswaf", "RuleV2"),
    "web-acl-request": _query("awswaf", "RequestV2-Tier1"),
    "secret-month": _query("AWSSecretsManager", "AWSSecretsManager-Secrets"),
    "volume-gb-month": _query(_SAGEMAKER, "Train:VolumeUsage.gp2"),
    "processing-volume-gb-month": _query(_SAGEMAKER, "Processing:VolumeUsage.gp2"),
}


@dataclass(frozen=True)
class Refreshed:
    """What AWS's price list says now.

    Args:
        prices: The prices.
        changed: What has another price than before, and both.
        kept: What keeps its price, and why.
    """

    prices: PriceList
    changed: tuple[tuple[str, float, float], ...]
    kept: tuple[tuple[str, str], ...]


def refresh(pricing: Any, known: PriceList, region: str, today: date) -> Refreshed:
    """The prices of a Region as AWS lists them today.

    Args:
        pricing: boto3's client of the Price List Query API.
        known: The prices that are known; those of another Region are replaced or left out.
        region: The Region.
        today: The date.
    """
    found: dict[str, Price] = {}
    changed, kept = [], []
    for name, price in known.prices.items():
        query = _find_query(name)
        asked = _ask(pricing, query, region) if query else None
        fault = _judge(price, asked, is_same_region=region == known.region) if query else "is not asked for"
        if asked is not None and not fault:
            found[name] = replace(price, usd=asked * price.per, source=f"AWS Price List, {today}", checked=None)
            changed += [(name, price.usd, asked * price.per)] if abs(asked / price.each - 1) > 1e-6 else []
            continue
        kept.append((name, fault))
        if region == known.region:
            found[name] = replace(price, checked=price.checked or known.checked)
    return Refreshed(PriceList(region, today, found), tuple(changed), tuple(kept))


def write_prices(prices: PriceList) -> str:
    """A file of prices, as `read_prices` reads it."""
    sources = {source: f"{number}" for number, source in enumerate(sorted({p.source for p in prices.prices.values()}))}
    content = {
        "region": prices.region,
        "checked": prices.checked.isoformat(),
        "sources": {key: source for source, key in sources.items()},
        "prices": {
            name: {
                "usd": price.usd,
                "per": price.per,
                "unit": price.unit,
                "source": sources[price.source],
                **({"checked": price.checked.isoformat()} if price.checked else {}),
            }
            for name, price in prices.prices.items()
        },
    }
    return json.dumps(content, indent=2) + "\n"


def _find_query(name: str) -> Query | None:
    if name.startswith(INSTANCE):
        return _query(_SAGEMAKER, f"Train:{name.removeprefix(INSTANCE)}")
    return QUERIES.get(name)


def _judge(price: Price, asked: float | None, *, is_same_region: bool) -> str:
    """Why a price that was found is not taken; empty if it is."""
    if asked is None:
        return "is not in AWS's price list under one name"
    if not (1 / _MOST_TIMES <= asked / price.each <= _MOST_TIMES):
        where = "before" if is_same_region else "in the Region that is known"
        return f"is more than {_MOST_TIMES:g} times what it was {where}, or less than a third: another product's"
    return ""


def _ask(pricing: Any, query: Query, region: str) -> float | None:
    """The one price of a product, for the first units; None where there is none, or several."""
    fields = {"regionCode": region, **query.attributes}
    pages = pricing.get_paginator("get_products").paginate(
        ServiceCode=query.service,
        Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in fields.items()]
        + [{"Type": "CONTAINS", "Field": "usagetype", "Value": query.usage}],
    )
    products = [json.loads(text) for page in pages for text in page["PriceList"]]
    found = {price for product in products if _is_meant(product, query) for price in _list_prices(product)}
    return found.pop() if len(found) == 1 else None


def _is_meant(product: Mapping[str, Any], query: Query) -> bool:
    """Whether a type of usage is the one that is meant, alone or after a Region's abbreviation."""
    usage = str(product["product"]["attributes"].get("usagetype", ""))
    region, _, rest = usage.partition("-")
    return usage == query.usage or (rest == query.usage and region.isalnum() and region.isupper())


def _list_prices(product: Mapping[str, Any]) -> Iterator[float]:
    """What the first units of a product cost beyond those that are free."""
    for term in product["terms"].get("OnDemand", {}).values():
        dimensions = sorted(term["priceDimensions"].values(), key=lambda each: float(each.get("beginRange", 0)))
        paid = [float(each["pricePerUnit"].get("USD", 0)) for each in dimensions]
        yield from [usd for usd in paid if usd > 0][:1]
