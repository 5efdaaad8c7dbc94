from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.host import read_clock
from headrace.local.sagemaker.metrics import MetricCollector, MetricPublisher
from tests.headrace.local.sagemaker.fakes import FakeCloudWatch, client_error


def collect(regex: str, *lines: str) -> list[float]:
    collector = MetricCollector([{"Name": "rmse", "Regex": regex}], MetricPublisher(FakeCloudWatch(), "job"))
    for line in lines:
        collector.read_line(line)
    return [metric["Value"] for metric in collector.list_final_values()]


def test_keeps_the_last_value_of_all_lines() -> None:
    assert collect("rmse: ([0-9.]+)", "rmse: 3", "rmse: 2 rmse: 1.5", "nothing") == [1.5]


@pytest.mark.parametrize("line", ["rmse: nan", "rmse: inf", "rmse: fast", "rmse: "])
def test_ignores_what_is_no_finite_number(line: str) -> None:
    assert collect("rmse: (.*)", line) == []


def test_ignores_a_group_that_took_no_part() -> None:
    assert collect("rmse(: [0-9]+)?", "rmse") == []


@pytest.mark.parametrize("regex", ["(", "no group"])
def test_refuses_an_expression_that_captures_nothing(regex: str) -> None:
    with pytest.raises(SageMakerError, match="Metric rmse"):
        collect(regex)


def test_sends_every_value_to_cloudwatch_under_the_jobs_name() -> None:
    cloudwatch = FakeCloudWatch()
    collector = MetricCollector([{"Name": "rmse", "Regex": "rmse: ([0-9.]+)"}], MetricPublisher(cloudwatch, "job"))

    collector.read_line("rmse: 3")
    collector.read_line("rmse: 2")
    collector.close()

    values = cloudwatch.values["/aws/sagemaker/TrainingJobs"]
    assert [(value["MetricName"], value["Value"]) for value in values] == [("rmse", 3.0), ("rmse", 2.0)]
    assert values[0]["Dimensions"] == [{"Name": "TrainingJobName", "Value": "job"}]


def test_sends_no_more_values_at_once_than_cloudwatch_takes() -> None:
    cloudwatch = FakeCloudWatch()
    publisher = MetricPublisher(cloudwatch, "job")

    for number in range(1500):
        publisher.add("loss", number, read_clock())

    assert len(cloudwatch.values["/aws/sagemaker/TrainingJobs"]) == 1000


def test_drops_values_that_cloudwatch_does_not_take(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing:
        def put_metric_data(self, **request: Any) -> Any:
            raise client_error("Throttling", "PutMetricData")

    publisher = MetricPublisher(Refusing(), "job")
    publisher.add("loss", 1, read_clock())

    publisher.send()

    assert "metrics_dropped job=job count=1" in caplog.text
