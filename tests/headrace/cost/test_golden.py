"""What `dev` and `prod` cost, against sums that were done by hand."""

from collections.abc import Iterable

import pytest

from headrace.cost.lines import Line, total
from headrace.cost.report import Report, make_report
from headrace.cost.scenarios import SCENARIOS, Scenario
from headrace.inventory import list_items, usual_prices
from tests.stacks.conftest import context_of
from tests.stacks.synthesis import read_synthesized


def report_of(variant: str, scenario: Scenario | None = None) -> Report:
    items = list(list_items(read_synthesized(context_of(variant))))
    return make_report(items, usual_prices(), {"hand": scenario} if scenario else None)


def standing_of(variant: str) -> dict[str, float]:
    return {stack.rpartition("-")[2]: round(usd, 4) for stack, usd in report_of(variant).by_stack.items() if usd}


def test_dev_stands_for_thirty_cents() -> None:
    # Three alarms of the normalizer at 0.10, and nothing else: no free tier is counted.
    assert standing_of("dev") == {"normalizer": 0.30}


def test_prod_stands_for_its_file_system_and_its_key() -> None:
    # 1,200 GB of FSx for Lustre at 0.145; a key at 1.00; three alarms at 0.10.
    assert standing_of("prod") == {"filesystems": 174.0, "encryption": 1.0, "normalizer": 0.30}


@pytest.mark.parametrize(
    ("variant", "more"),
    [
        # A gateway at 0.045 and its address at 0.005 an hour, for 730 hours.
        ("nat", 730 * (0.045 + 0.005)),
        # Two interface endpoints in two zones at 0.01 an hour.
        ("endpoints", 2 * 2 * 730 * 0.01),
        # 1,200 GB of scratch or persistent storage: the default is persistent.
        ("fsx", 1200 * 0.145),
        # A topic's key and a dashboard; three alarms for each of three state machines, one for each of two workloads;
        # of each endpoint two metrics of calls, two of errors and one of latency.
        ("alarms", 1.00 + 3.00 + 0.10 * (3 * 3 + 2 + 2 * (2 + 2 + 1))),
        ("key", 1.00),
        # A volume of 20 GB, which is there while the notebook has stopped.
        ("notebook", 20 * 0.14),
        # Two metrics of errors and one of latency every 10 seconds; of photographs, two and one that are not as often.
        ("guard", 0.30 * (2 + 1) + 0.10 * (2 + 1)),
        ("efs", 0.0),
        ("people", 0.0),
    ],
)
def test_a_switch_adds_what_it_costs(variant: str, more: float) -> None:
    assert report_of(variant).standing == pytest.approx(0.30 + more)


def test_an_execution_costs_its_machines_by_the_second() -> None:
    scenario = Scenario(preprocessing_minutes=6, training_minutes=30, read_objects=1_000)

    usage = report_of("dev", scenario).usages["hand"]

    bigmart = {line.what: line.usd for line in usage.executions if line.section == "bigmart"}
    # ml.m5.xlarge at 0.23 an hour, for 6 and for 30 minutes.
    assert bigmart["processing job on ml.m5.xlarge"] == pytest.approx(0.1 * 0.23)
    assert bigmart["training job on ml.m5.xlarge"] == pytest.approx(0.5 * 0.23)
    # 30 GB of the jobs' volumes, for that part of 730 hours.
    assert bigmart["volume of the processing job"] == pytest.approx(30 * 0.1 / 730 * 0.10)
    assert bigmart["volume of the training job"] == pytest.approx(30 * 0.5 / 730 * 0.14)
    # 1,000 objects read at 0.0004, a tenth of them written at 0.005 per 1,000.
    assert bigmart["reading objects"] == pytest.approx(0.0004)
    assert bigmart["writing objects"] == pytest.approx(0.1 * 0.005)


def test_a_month_costs_its_endpoints_and_what_is_stored() -> None:
    scenario = Scenario(
        executions=0,
        endpoint_hours=100,
        requests=1024 * 1024,
        request_kb=10,
        photographs=1_000_000,
        photograph_gb_seconds=0.02,
        stored_gb=200,
        stored_objects=1_000_000,
        container_image_gb=5,
        log_gb=2,
    )

    report = report_of("dev", scenario)

    by_hand = sum(
        (
            2 * 100 * 0.115,  # two endpoints on ml.m5.large
            2 * 10 * 0.016,  # 10 GB through each
            200 * 0.023 + 1_000 * 0.0025,  # buckets, and objects that Intelligent-Tiering watches
            5 * 0.10,  # container images
            2 * (0.50 + 0.03),  # logs written and kept
            20_000 * 0.0000133334 + 0.20 + 1_000 * 0.0004,  # a million photographs, asked for and read
        )
    )
    assert total(report.usages["hand"].month) == pytest.approx(by_hand)
    assert report.month_of("hand") == pytest.approx(0.30 + by_hand)


def test_spot_training_costs_what_it_does_not_save() -> None:
    usual, spot = (report_of(variant, Scenario(spot_saving=0.6)).usages["hand"] for variant in ("dev", "spot"))

    def training(lines: Iterable[Line]) -> list[float]:
        return [line.usd or 0.0 for line in lines if line.what.startswith("training job on")]

    assert training(spot.executions) == pytest.approx([0.4 * usd for usd in training(usual.executions)])


@pytest.mark.parametrize("variant", ["batch", "serverless", "guard", "scaling", "object-lambda", "private-notebook"])
def test_prices_what_every_way_of_serving_runs(variant: str) -> None:
    report = report_of(variant)

    for usage in report.usages.values():
        assert usage.unread == ()
        assert [line for line in (*usage.executions, *usage.month) if line.usd is None] == []


def test_scenarios_ask_for_more_each_time() -> None:
    report = report_of("prod")

    assert list(SCENARIOS) == ["low", "moderate", "high"]
    assert report.month_of("low") < report.month_of("moderate") < report.month_of("high")


def test_dev_stays_below_five_dollars_when_container_images_and_logs_are_there() -> None:
    # Nothing is executed; 6 GB of container images at 0.10 and 1 GB of logs at 0.03, besides the alarms.
    idle = Scenario().change(dict.fromkeys(vars(Scenario()), 0)).change({"container_image_gb": 6, "stored_gb": 10})

    assert report_of("dev", idle).month_of("hand") == pytest.approx(0.30 + 0.60 + 0.23)
    assert report_of("dev", idle).month_of("hand") < 5
