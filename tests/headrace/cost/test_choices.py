"""Choices, against sums that were done by hand."""

import pytest

from headrace.cost.choices import list_choices
from headrace.cost.scenarios import Scenario
from headrace.inventory import usual_prices


def test_compares_what_people_choose_between() -> None:
    scenario = Scenario(
        executions=10,
        training_minutes=53,
        efs_gb=100,
        read_objects=5_000,
        network_gb=20,
        endpoint_hours=730,
        requests=1_000_000,
        request_seconds=0.1,
        photographs=1_000_000,
        photograph_gb_seconds=0.03,
        photographs_per_second=250,
    )

    usd = [way.usd for way in list_choices(scenario, usual_prices())]

    assert usd == pytest.approx(
        [
            1200 * 0.145,
            1200 * 0.140,
            1200 * 0.140 * 10 * (53 + 20) / 60 / 730,  # 2.80
            100 * 0.023 + 10 * 5 * 0.0004,
            100 * 0.30 + 10 * 100 * 0.03,
            730 * 0.05 + 20 * 0.045,
            3 * 2 * 7.30 + 20 * 0.01,
            730 * 0.115,
            1_000_000 * 0.1 * 2 * 0.00002,
            30_000 * 0.0000133334 + 0.20,
            30_000 * 0.0000166667 + 0.20,
            1_000_000 / 250 / 3600 * 0.23,
        ]
    )
