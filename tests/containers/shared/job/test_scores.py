import pytest

from containers.shared.job.scores import format_metric


@pytest.mark.parametrize(("value", "written"), [(0.5, "0.500000"), (-1e-7, "-0.000000"), (1683.4, "1683.400000")])
def test_writes_metrics_with_six_digits_and_without_an_exponent(value: float, written: str) -> None:
    assert format_metric("validation:r2", value) == f"metric validation:r2={written}\n"
