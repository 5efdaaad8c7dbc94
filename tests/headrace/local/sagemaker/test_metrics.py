import pytest

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.metrics import MetricCollector


def collect(regex: str, *lines: str) -> list[float]:
    collector = MetricCollector([{"Name": "rmse", "Regex": regex}])
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
