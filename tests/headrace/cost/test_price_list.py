"""Prices from answers such as those of AWS's Price List Query API."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.cost.price_list import QUERIES, refresh, write_prices
from headrace.inventory import PriceError, read_prices, usual_prices
from headrace.inventory.prices import OLD_AFTER_DAYS

TODAY = date(2027, 1, 2)


def product(usage: str, *prices: float, region: str = "us-east-1") -> str:
    dimensions = {
        f"d{number}": {"beginRange": str(number * 100), "pricePerUnit": {"USD": f"{usd:.10f}"}}
        for number, usd in enumerate(prices)
    }
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage, "regionCode": region}},
            "terms": {"OnDemand": {"t": {"priceDimensions": dimensions}}},
        }
    )


class Pricing:
    """A client that has some products by service."""

    def __init__(self, **products: list[str]) -> None:
        self.products = products

    def get_paginator(self, operation: str) -> "Pricing":
        assert operation == "get_products"
        return self

    def paginate(self, *, ServiceCode: str, Filters: list[dict[str, str]]) -> list[dict[str, Any]]:  # noqa: N803
        (usage,) = (each["Value"] for each in Filters if each["Type"] == "CONTAINS")
        return [{"PriceList": [text for text in self.products.get(ServiceCode, []) if usage in text]}]


def test_takes_the_first_price_that_is_not_free_and_keeps_what_is_not_found() -> None:
    pricing = Pricing(
        AWSLambda=[product("Lambda-GB-Second-ARM", 0, 0.000013), product("Lambda-GB-Second", 0.0000166667)],
        AmazonEC2=[product("NatGateway-Hours", 0.046), product("NatGateway-Hours-Regional", 9)],
    )

    found = refresh(pricing, usual_prices(), "us-east-1", TODAY)

    assert found.changed == (
        ("nat-gateway-hour", 0.045, 0.046),
        ("lambda-arm64-gb-second", 0.0000133334, 0.000013),
    )
    assert found.prices.prices["nat-gateway-hour"].source == "AWS Price List, 2027-01-02"
    assert dict(found.kept)["key-month"] == "is not in AWS's price list under one name"
    assert dict(found.kept)["endpoint-gb"] == "is not asked for"
    assert found.prices.each("key-month") == 1.0


def test_does_not_take_what_it_keeps_for_checked(tmp_path: Path) -> None:
    pricing = Pricing(AmazonEC2=[product("NatGateway-Hours", 0.046)])
    path = tmp_path / "prices.json"

    path.write_text(write_prices(refresh(pricing, usual_prices(), "us-east-1", TODAY).prices))

    prices = read_prices(path)
    assert prices.checked == TODAY
    assert prices.find("nat-gateway-hour").checked is None
    assert prices.find("key-month").checked == prices.find("endpoint-gb").checked == usual_prices().checked
    later = usual_prices().checked + timedelta(days=OLD_AFTER_DAYS)
    assert prices.list_old(later) == []
    old = prices.list_old(later + timedelta(days=1))
    assert ("key-month" in old, "nat-gateway-hour" in old) == (True, False)


def test_counts_requests_by_the_thousand_as_they_are_known() -> None:
    found = refresh(Pricing(AmazonStates=[product("StateTransition", 0.000026)]), usual_prices(), "us-east-1", TODAY)

    assert found.prices.prices["transition"].usd == pytest.approx(0.026)
    assert found.prices.each("transition") == pytest.approx(0.000026)


def test_leaves_out_in_another_region_what_is_not_found_there() -> None:
    pricing = Pricing(AmazonEC2=[product("EU-NatGateway-Hours", 0.048)])

    found = refresh(pricing, usual_prices(), "eu-west-1", TODAY)

    assert list(found.prices.prices) == ["nat-gateway-hour"]
    with pytest.raises(PriceError, match="no price of key-month in eu-west-1 is known"):
        found.prices.each("key-month")


@pytest.mark.parametrize("prices", [(0.4,), (0.001,), (0.045, 0.046)])
def test_does_not_take_what_must_be_another_product(prices: tuple[float, ...]) -> None:
    pricing = Pricing(AmazonEC2=[product("NatGateway-Hours", usd) for usd in prices])

    found = refresh(pricing, usual_prices(), "us-east-1", TODAY)

    assert "nat-gateway-hour" in dict(found.kept)
    assert found.prices.each("nat-gateway-hour") == 0.045


def test_writes_a_file_that_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(write_prices(usual_prices()))

    assert read_prices(path) == usual_prices()


def test_knows_where_most_prices_are() -> None:
    known = {name for name in usual_prices().prices if not name.startswith("instance:")}

    assert QUERIES.keys() <= known
    assert known - QUERIES.keys() == {
        "cloudfront-gb",
        "cloudfront-request",
        "comprehend-classifier-month",
        "comprehend-endpoint-second",
        "comprehend-syntax-unit",
        "comprehend-training-hour",
        "comprehend-unit",
        "dashboard-month",
        "efs-ia-gb-read",
        "endpoint-gb",
        "s3-object-lambda-gb",
        "serverless-gb-second",
        "serverless-provisioned-gb-second",
        "textract-forms-page",
        "textract-queries-page",
        "textract-tables-page",
        "textract-text-page",
        # There are several plans of it, and the first users are free.
        "user-pool-user-month",
    }
